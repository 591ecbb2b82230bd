/** How often the revoker looks at its targets, as an operator configures it. */
import { edited, env as broker, refusalOf, SAMPLE } from '../test/sample-file.js';
import { loadConfig } from './load.js';

const env = {
  ...broker,
  MAYFLY_REVOKER_DATABASE_URL: 'postgres://mayfly_revoker:hunter2@127.0.0.1:7432/mayfly',
};
const revokerOf = (file: string) => loadConfig(file, env, 'revoker').services.revoker;

it('sweeps each minute and surveys each hour where nothing is said, which is what the sample writes out', () => {
  const standard = {
    sweep: { everyMs: 60_000, orphanGraceMs: 30_000 },
    standingAccess: { everyMs: 3_600_000 },
  };
  expect(revokerOf(SAMPLE)).toMatchObject(standard);
  const silent = edited('    sweep:\n      everyMs: 60000\n      orphanGraceMs: 30000\n', '');
  expect(revokerOf(silent)).toMatchObject(standard);
});

it.each([
  ['a sweep each second', 'everyMs: 60000', 'everyMs: 1000', 'sweep.everyMs'],
  ['a grace of a day', 'orphanGraceMs: 30000', 'orphanGraceMs: 86400000', 'sweep.orphanGraceMs'],
  ['a survey of never', 'everyMs: 3600000', 'everyMs: 0', 'standingAccess.everyMs'],
])('refuses %s', (_what, from, to, key) => {
  expect(refusalOf(edited(from, to), env, 'revoker')).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    key: `services.revoker.${key}`,
  });
});
