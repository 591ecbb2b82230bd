import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import { folderState } from '#policy/folder-state.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import type { TargetSettings } from '#providers/target-settings.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { catalogueMeasures } from './catalogue-measures.js';
import { CatalogueReload } from './catalogue-reload.js';

const ENV = {
  ...{ MAYFLY_TARGET_HOST: '127.0.0.1', MAYFLY_TARGET_PORT: '7433', MAYFLY_TARGET_DATABASE: 'shop' },
  ...{ MAYFLY_TARGET_USER: 'mayfly_revoker', MAYFLY_TARGET_PASSWORD: '0042', OTHER_PASSWORD: '0043' },
};
const PLANNER = 'spiffe://dev.mayfly/agent/planner';

let dir: string;
let logged: string;
let metrics: Metrics;
let taken: Catalogue[];
let opened: TargetSettings[];
let reload: CatalogueReload;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mayfly-catalogue-'));
  await cp('deploy/sample/catalogue', dir, { recursive: true });
  logged = '';
  metrics = new Metrics('revoker');
  taken = [];
  const seen = await folderState(dir);
  const { catalogue, targets } = await loadCatalogue(dir, ENV);
  opened = targets;
  reload = new CatalogueReload({
    ...{ dir, env: ENV, options: { opened }, loaded: catalogue, seen },
    take: (next) => taken.push(next),
    log: createLog('revoker', { level: 'debug', write: (line) => (logged += line) }),
    measures: catalogueMeasures(metrics),
  });
});
afterEach(() => rm(dir, { recursive: true }));

async function edit(file: string, from: string, to: string): Promise<void> {
  const path = join(dir, file);
  const text = await readFile(path, 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  await writeFile(path, text.replace(from, to));
}

/** Twice, for a folder that still changes is let alone. */
async function look(): Promise<void> {
  await reload.turn();
  await reload.turn();
}

it('hands over a new version, once', async () => {
  await edit('agents.yaml', 'groups: [planners]', 'groups: [planners, analysts]');
  await look();
  await look();

  expect(taken.map(({ agents }) => agents.get(PLANNER)?.groups)).toEqual([['planners', 'analysts']]);
  expect(logged).toContain('another catalogue is gone by');
  expect(await metrics.text()).toContain(
    'mayfly_catalogue_versions_total{outcome="activated",service="revoker"} 1',
  );
});

it('hands over nothing where comments only are others', async () => {
  await edit('agents.yaml', '# Workloads', '# The workloads');
  await look();

  expect(taken).toEqual([]);
});

it('refuses a bad version with its place, shows it, and takes the next good one', async () => {
  await edit('agents.yaml', 'groups: [planners]', 'gruops: [planners]');
  await look();
  await look();

  expect(taken).toEqual([]);
  expect(logged.match(/a new version of the catalogue is refused/g)).toHaveLength(1);
  expect(logged).toMatch(/agents\.yaml:\d+: .*ERR_CONFIG_UNKNOWN_KEY/);
  expect(await metrics.text()).toContain('mayfly_catalogue_version_refused{service="revoker"} 1');

  await edit('agents.yaml', 'gruops: [planners]', 'groups: [analysts]');
  await look();

  expect(taken).toHaveLength(1);
  expect(await metrics.text()).toContain('mayfly_catalogue_version_refused{service="revoker"} 0');
});

it.each([
  ['a new target', 'id: mail-relay', 'id: mail-gate'],
  ['another place of a target', 'namespace: smp', 'namespace: oth'],
  ['another login at a target', '${MAYFLY_TARGET_PASSWORD}', '${OTHER_PASSWORD}'],
  ['another limit of a target', 'maxTtlMs: 900000', 'maxTtlMs: 800000'],
])('refuses %s until a restart', async (_what, from, to) => {
  await edit('targets.yaml', from, to);
  if (to === 'id: mail-gate') await edit('tools.yaml', 'target: mail-relay', 'target: mail-gate');
  await look();

  expect(taken).toEqual([]);
  expect(logged).toMatch(/targets\.yaml:\d+: .*needs a restart \(ERR_CONFIG_NEEDS_RESTART\)/);
});

it('lets a target go that nothing is on any more', async () => {
  await edit('tools.yaml', '  target: mail-relay\n', '');
  const text = await readFile(join(dir, 'targets.yaml'), 'utf8');
  await writeFile(join(dir, 'targets.yaml'), text.slice(0, text.indexOf('# A mail relay')));
  await look();

  expect(taken[0]?.targets.has('mail-relay')).toBe(false);
});
