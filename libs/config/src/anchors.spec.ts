/** Where heads of the log are kept outside its database, as an operator configures it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { loadConfig } from './load.js';
import { edited, env as shared, refusalOf, SAMPLE } from '../test/sample-file.js';

const env = {
  ...shared,
  MAYFLY_AUDITOR_DATABASE_URL: 'postgres://mayfly_auditor:hunter2@127.0.0.1:7432/mayfly',
  MAYFLY_AUDITOR_OWNER_DATABASE_URL: 'postgres://mayfly_owner:hunter2@127.0.0.1:7432/mayfly',
};
const VKEY = 'witness.example/w1+04d2d833+BD1AF8PoQ4lakrcKp00bfrycmCzPLsSWjMDNVfEq9GYM';
const OTHER = VKEY.replace('BD1A', 'BD2A');
const FILES = '        files: ${MAYFLY_STATE_DIR:-.mayfly}/checkpoints\n';
const withWitnesses = (witnesses: string) =>
  edited(FILES, `${FILES}        everyMs: 5000\n        witnesses: [${witnesses}]\n`);
const anchorsIn = (file: string) => loadConfig(file, env, 'auditor').services.auditor.log.anchors;

it('keeps checkpoints in files in the sample, and asks no witness', () => {
  expect(anchorsIn(SAMPLE)).toEqual({ everyMs: 10_000, files: 'state/checkpoints', witnesses: [] });
});

it('keeps them nowhere unless it is told to', () => {
  const file = edited(FILES, '        witnesses: []\n');
  expect(anchorsIn(file)).toEqual({ everyMs: 10_000, witnesses: [] });
});

it('takes witnesses', () => {
  const witness = { name: 'north', url: 'https://witness.example/mayfly', vkey: VKEY };
  expect(anchorsIn(withWitnesses(JSON.stringify(witness)))).toEqual({
    everyMs: 5_000,
    files: 'state/checkpoints',
    witnesses: [witness],
  });
});

it.each([
  ['without a key', '{ name: north, url: https://a.example }'],
  ['whose key is none', `{ name: north, url: https://a.example, vkey: "${VKEY.slice(0, 20)}" }`],
  ['in clear beyond this machine', `{ name: north, url: http://a.example, vkey: "${VKEY}" }`],
  ['with a name that is none', `{ name: North/1, url: https://a.example, vkey: "${VKEY}" }`],
  [
    'two of one name',
    `{ name: a, url: https://a.example, vkey: "${VKEY}" }, { name: a, url: https://b.example, vkey: "${OTHER}" }`,
  ],
  [
    'two of one key',
    `{ name: a, url: https://a.example, vkey: "${VKEY}" }, { name: b, url: https://b.example, vkey: "${VKEY}" }`,
  ],
])('refuses a witness %s', (_what, witnesses) => {
  const error = refusalOf(withWitnesses(witnesses), env, 'auditor');
  expect(error.code).toBe('ERR_CONFIG_INVALID');
  expect(error.key).toMatch(/^services\.auditor\.log\.anchors\.witnesses/);
});

it('asks one in clear on this machine in development, and nowhere in production', () => {
  const file = withWitnesses(`{ name: a, url: 'http://127.0.0.1:7090', vkey: "${VKEY}" }`);
  expect(() => anchorsIn(file)).not.toThrow();
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll('development: true', 'development: false'));
  expect(refusalOf(file, { ...env, MAYFLY_ENV: 'production' }, 'auditor')).toMatchObject({
    code: 'ERR_CONFIG_UNSAFE',
    key: 'services.auditor.log.anchors.witnesses.0.url',
  });
});
