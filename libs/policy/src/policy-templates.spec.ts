/** The templates are not loaded with the sample, so that nobody would notice if they broke. */
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue } from './load-catalogue.js';
import { loadPolicies } from './load-policies.js';
import { runPolicyTests } from './policy-tests.js';

const SAMPLE = 'deploy/sample/policy';
const TEMPLATES = join(SAMPLE, 'templates');
const templates = readdirSync(TEMPLATES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mayfly-template-'));
  await cp(SAMPLE, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true }));

it.each(templates)('%s, added to the sample, decides as its tests say', async (name) => {
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });
  const before = (await loadPolicies(SAMPLE)).rules;

  await cp(join(TEMPLATES, name, `${name}.cedar`), join(folder, `${name}.cedar`));
  const policies = await loadPolicies(folder);
  const { failures, untested, passed } = await runPolicyTests(policies, catalogue, join(TEMPLATES, name));

  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(1);
  expect(policies.rules.size).toBe(before.size + 1);
  expect(untested.filter((id) => !before.has(id))).toEqual([]);
});

it('names every template in their README', () => {
  const named = [...readFileSync(join(TEMPLATES, 'README.md'), 'utf8').matchAll(/^\| `([a-z-]+)` \|/gm)];

  expect(named.map(([, name]) => name)).toEqual(templates.toSorted());
});
