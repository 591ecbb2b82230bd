import { createLog } from '#telemetry/log.js';
import { openProviders } from './open-providers.js';
import { targetSettings } from './target-settings.js';

const log = createLog('spec', { level: 'silent' });
const target = (id: string, namespace: string) =>
  targetSettings.parse({
    id,
    provider: 'postgres',
    maxTtlMs: 300_000,
    connection: { host: '127.0.0.1', port: 1, database: 'shop', tls: { mode: 'disable' } },
    login: { user: 'x', password: 'x' },
    namespace,
  });

it('opens one adapter for each target and connects to none', async () => {
  const providers = openProviders([target('shop', 'dev'), target('till', 'til')], log);
  expect([...providers.keys()]).toEqual(['shop', 'till']);
  expect(providers.get('shop')).toMatchObject({ kind: 'postgres', fencing: 'fenced' });
  for (const provider of providers.values()) await provider.close();
});

it('refuses two targets with one id, and two that would share their principals', () => {
  expect(() => openProviders([target('shop', 'dev'), target('shop', 'til')], log)).toThrow('`shop`');
  expect(() => openProviders([target('shop', 'dev'), target('till', 'dev')], log)).toThrow('`till`');
});
