import { databaseTakes, reasonsOf } from './readiness.js';

it('a service is ready where nothing gives a reason', async () => {
  expect(await reasonsOf([() => [], () => Promise.resolve([])])).toEqual([]);
});

it('all reasons are given, each once', async () => {
  const away = () => ['database does not answer'];

  expect(await reasonsOf([away, () => Promise.resolve(['outbox is not being sent']), away])).toEqual([
    'database does not answer',
    'outbox is not being sent',
  ]);
});

it('what cannot be found out is a reason, and hides no other', async () => {
  const frozen = () => new Promise<string[]>(() => undefined);
  const broken = () => Promise.reject(new Error('no'));

  expect(await reasonsOf([frozen, broken, () => ['consumer is not assigned']], 20)).toEqual([
    'a readiness check does not answer',
    'a readiness check failed',
    'consumer is not assigned',
  ]);
});

it('a database that answers and takes nothing is a reason once that lasts', () => {
  expect(databaseTakes(() => 1_999)()).toEqual([]);
  expect(databaseTakes(() => 2_001)()).toEqual(['records wait for the database']);
});
