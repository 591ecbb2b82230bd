import { targetSettings } from '#providers/target-settings.js';
import { findingsOf } from './targets.js';

const SHOP = targetSettings.parse({
  id: 'shop',
  provider: 'postgres',
  maxTtlMs: 900_000,
  connection: { host: '127.0.0.1', port: 5432, database: 'shop', tls: { mode: 'disable' } },
  login: { user: 'mayfly_broker', password: 'never used' },
  namespace: 'tgs',
});

it('a target where nothing is amiss is well', async () => {
  expect(await findingsOf(SHOP, 'broker', ['pol_a'], () => Promise.resolve([]))).toEqual([
    { status: 'ok', what: 'target shop, as the broker', seen: 'all that is needed, and no more' },
  ]);
});

it('all that is amiss is told, with what to do, and whether anything is issued', async () => {
  const amiss = () =>
    Promise.resolve([
      { code: 'ERR_TARGET_RIGHT_MISSING' as const, what: 'not so: a reads the fence', how: 'run it' },
      { code: 'ERR_TARGET_RIGHT_TOO_MUCH' as const, what: 'too much: a is a superuser', how: 'take it' },
    ]);

  expect(await findingsOf(SHOP, 'revoker', [], amiss)).toEqual([
    {
      status: 'fail',
      what: 'target shop, as the revoker',
      seen: 'ERR_TARGET_RIGHT_MISSING: not so: a reads the fence; nothing is issued for it',
      fix: 'run it',
    },
    {
      status: 'fail',
      what: 'target shop, as the revoker',
      seen: 'ERR_TARGET_RIGHT_TOO_MUCH: too much: a is a superuser',
      fix: 'take it',
    },
  ]);
});

it('of a target where nobody logs in there is nothing to say', async () => {
  const orders = targetSettings.parse({
    ...{ id: 'orders-api', provider: 'jwt', maxTtlMs: 300_000 },
    audience: 'http://127.0.0.1:7080',
  });

  expect(await findingsOf(orders, 'broker', ['read'])).toEqual([]);
});
