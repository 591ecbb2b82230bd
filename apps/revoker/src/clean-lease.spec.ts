import { openProviders } from '#providers/open-providers.js';
import { targetSettings } from '#providers/target-settings.js';
import { createLog } from '#telemetry/log.js';
import { cleanLease } from './clean-lease.js';
import type { Workload } from './lease-rows.js';

const leaseId = '0192aaaa-0000-7000-8000-000000000001';
const lease: Workload = {
  leaseId,
  taskId: '0192aaaa-0000-7000-8000-000000000002',
  tenant: 'acme',
  turnAtMs: null,
  generation: 1,
  lineage: [],
  plan: {
    leaseId,
    provider: 'postgres',
    target: 'shop',
    principal: 'kold01jaaaaaaa',
    rights: [],
    createBy: '2026-11-24T19:00:10.000Z',
    notAfter: '2026-11-24T19:02:00.000Z',
    hardEnd: '2026-11-24T19:30:00.000Z',
  },
  issued: true,
  answered: true,
  state: 'cut',
  revocation: { cause: 'task_ended', causedBy: null, requestedAtMs: 0, attempts: 0, sessionsEnded: 0 },
};

// A rejection here is nobody's to catch: it would end the process, at every start, and with it every other cut.
it('a lease whose plan fits its target no more, because its namespace was changed, fails and ends nothing else', async () => {
  const log = createLog('test', { level: 'silent' });
  const settings = targetSettings.parse({
    id: 'shop',
    provider: 'postgres',
    maxTtlMs: 900_000,
    connection: { host: '127.0.0.1', port: 1, database: 'shop', tls: { mode: 'disable' } },
    login: { user: 'mayfly_revoker', password: 'x' },
    namespace: 'new',
  });
  const provider = (await openProviders([settings], log, { maxClockSkewMs: 2_000 })).get('shop');

  const attempt = await cleanLease(lease, provider, log);

  expect(attempt).toEqual({ endedAtMs: expect.any(Number) as number, failed: 'ERR_PLAN_INVALID' });
  await provider?.close();
});
