/** What drift weighs, as an operator configures it. */
import { DRIFT_RULES } from '#events/drift.js';
import { edited, env, lineIn, refusalOf, SAMPLE } from '../test/sample-file.js';
import { driftSchema } from './drift.js';
import { loadConfig } from './load.js';

const driftOf = (file: string) => loadConfig(file, env, 'broker').services.broker.drift;

it('weighs what is built in where nothing is given, which is what the sample writes out', () => {
  expect(driftSchema.parse({})).toEqual(DRIFT_RULES);
  expect(driftOf(SAMPLE)).toEqual(DRIFT_RULES);
});

it('takes other weights, one by one', () => {
  const given = { suspendAt: 60, weights: { model_changed: 0 }, refusalRate: { percent: 80 } };

  expect(driftSchema.parse(given)).toEqual({
    suspendAt: 60,
    weights: { ...DRIFT_RULES.weights, model_changed: 0 },
    refusalRate: { minCalls: 10, percent: 80 },
  });
});

it.each([
  ['a weight over 100', 'dataset_creep: 25', 'dataset_creep: 101', 'weights.dataset_creep', 'INVALID'],
  ['a weight below 0', 'dataset_creep: 25', 'dataset_creep: -1', 'weights.dataset_creep', 'INVALID'],
  ['half a point', 'dataset_creep: 25', 'dataset_creep: 0.5', 'weights.dataset_creep', 'INVALID'],
  [
    'a signal that there is not',
    'dataset_creep: 25',
    'dataset_crepp: 25',
    'weights.dataset_crepp',
    'UNKNOWN_KEY',
  ],
  ['no score at all', 'suspendAt: 100', 'suspendAt: 0', 'suspendAt', 'INVALID'],
  ['a score that is never reached', 'suspendAt: 100', 'suspendAt: 101', 'suspendAt', 'INVALID'],
  ['a share of none', 'percent: 50', 'percent: 0', 'refusalRate.percent', 'INVALID'],
])('refuses %s, and says where', (_what, from, to, key, code) => {
  const file = edited(from, to);

  expect(refusalOf(file)).toMatchObject({
    code: `ERR_CONFIG_${code}`,
    key: `services.broker.drift.${key}`,
    line: lineIn(file, to),
  });
});
