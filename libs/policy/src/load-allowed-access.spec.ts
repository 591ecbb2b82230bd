import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '#config/config-error.js';
import { ALLOWED_ACCESS_FILE, loadAllowedAccess } from './load-allowed-access.js';

const TARGETS = new Set(['shop']);
let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mayfly-allowed-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const given = (text: string) => writeFile(join(dir, ALLOWED_ACCESS_FILE), text);
const entry = (changes: Record<string, string> = {}) => {
  const members = { target: 'shop', principal: 'report_bot', reason: 'nightly report', review: '2027-02-28' };
  return `- { ${Object.entries({ ...members, ...changes })
    .map(([key, value]) => `${key}: ${value}`)
    .join(', ')} }\n`;
};

it('reads who may be there, why, and until when', async () => {
  await given(entry());
  expect(await loadAllowedAccess(dir, TARGETS)).toEqual([
    { target: 'shop', principal: 'report_bot', reason: 'nightly report', review: '2027-02-28' },
  ]);
});

it.each([
  ['there is no file', undefined],
  ['the file is empty', ''],
  ['the file has comments only', '# nobody\n'],
  ['the list is empty', '[]\n'],
])('allows nobody where %s', async (_what, text) => {
  if (text !== undefined) await given(text);
  expect(await loadAllowedAccess(dir, TARGETS)).toEqual([]);
});

it.each([
  ['no reason', entry({ reason: "''" }), '0.reason'],
  ['a reason of two lines', entry({ reason: '"a\\nb"' }), '0.reason'],
  ['no day of review', entry().replace(', review: 2027-02-28', ''), '0.review'],
  ['a day that no calendar has', entry({ review: '2027-02-30' }), '0.review'],
  ['a day in another form', entry({ review: '28.2.2027' }), '0.review'],
  ['for ever', entry({ review: 'never' }), '0.review'],
  ['an unknown key', entry({ until: '2027-02-28' }), '0.until'],
  ['a target that there is not', entry({ target: 'store' }), '0.target'],
  ['an account given twice', entry() + entry({ reason: 'again' }), '1.principal'],
])('refuses %s, and says where', async (_what, text, key) => {
  await given(text);
  const refused = await loadAllowedAccess(dir, TARGETS).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ConfigError);
  expect(refused).toMatchObject({ key, file: join(dir, ALLOWED_ACCESS_FILE) });
});
