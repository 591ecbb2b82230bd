import { mkdtemp, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '#telemetry/log.js';
import { AllowedList } from './allowed-list.js';

const ENTRY = '- { target: shop, principal: report_bot, reason: nightly report, review: 2027-02-28 }\n';
let dir: string;
let logged: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mayfly-allowed-'));
  logged = [];
});
afterEach(() => rm(dir, { recursive: true }));

const file = () => join(dir, 'standing-access.yaml');
const load = () =>
  AllowedList.load({
    ...{ dir, targets: () => new Set(['shop']) },
    log: createLog('revoker', { write: (line) => logged.push(line) }),
  });

it('takes over what is written while it runs, and that the file is gone', async () => {
  const list = await load();
  expect(list.now()).toEqual([]);

  await writeFile(file(), ENTRY);
  await list.turn();
  expect(list.now()).toMatchObject([{ principal: 'report_bot' }]);

  await unlink(file());
  await list.turn();
  expect(list.now()).toEqual([]);
});

it('gives the same list until there is another', async () => {
  await writeFile(file(), ENTRY);
  const list = await load();
  const before = list.now();
  await list.turn();
  expect(list.now()).toBe(before);
});

it('refuses a bad version, once, and goes by the one before', async () => {
  await writeFile(file(), ENTRY);
  const list = await load();

  await writeFile(file(), `${ENTRY}- { target: shop, principal: x, reason: '', review: never }\n`);
  await list.turn();
  await list.turn();

  expect(list.now()).toHaveLength(1);
  expect(logged).toHaveLength(1);
  expect(logged[0]).toContain('standing-access.yaml:2: 1.reason');
});

it('is an error at the start', async () => {
  await writeFile(file(), '- { target: store }\n');
  await expect(load()).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID' });
});
