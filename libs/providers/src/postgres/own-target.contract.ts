/** The sample's target on a server of its own, which can be restarted and put back to a backup; and what the kit holds it to. */
import { startOwnPostgres } from '../../../../test/support/own-postgres.mjs';
import type { ProviderHarness, TargetFeatures } from '../conformance/harness.contract.js';
import type { PostgresCredential } from '../provider.js';
import { openSampleTarget } from './sample-target.contract.js';

const NOTHING_ELSE = ['make a table', 'make a role', 'read the fence', 'become the policy role'];

// begin features
export const postgresFeatures: TargetFeatures = {
  asksServer: true,
  knowsPrincipals: true,
  keepsSessions: true,
  refusesLateCreate: true,
  wired: true,
  restart: 'keeps',
  restores: true,
  rights: [
    {
      rights: ['pol_crm_orders_read'],
      permits: ['read orders'],
      forbids: ['write orders', 'read customers', 'read salaries', ...NOTHING_ELSE],
    },
    {
      rights: ['pol_crm_orders_write', 'pol_hr_salaries_read'],
      permits: ['read orders', 'write orders', 'read salaries'],
      forbids: ['read customers', 'delete orders', ...NOTHING_ELSE],
    },
  ],
};
// end features

export async function openOwnTarget({ durable = false } = {}): Promise<ProviderHarness<PostgresCredential>> {
  const server = await startOwnPostgres({ durable });
  try {
    const target = await openSampleTarget('spa', server.url);
    return {
      ...target,
      restart: () => server.restart(),
      backUp: () => server.backUp(),
      async close() {
        await target.leave();
        await server.stop();
      },
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
