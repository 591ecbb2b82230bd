/** The program of a process that is to be killed: opens an adapter, says so, does what it is told, says so. */
import { createLog } from '#telemetry/log.js';
import { openProviders } from '../open-providers.js';
import type { CredentialProvider, Plan } from '../provider.js';
import { targetSettings } from '../target-settings.js';

export type Verb = 'create' | 'cut' | 'clean';

interface Orders {
  settings: unknown;
  plan: Plan;
}

process.once('disconnect', () => process.exit(1));
process.once('message', (orders: Orders) => void open(orders));

async function open({ settings, plan }: Orders): Promise<void> {
  const target = targetSettings.parse(settings);
  const log = createLog('doomed', { level: 'silent' });
  const adapters = await openProviders([target], log, { maxClockSkewMs: 2_000 });
  const adapter = adapters.get(target.id);
  await adapter?.observe(plan);
  process.once('message', ({ verb }: { verb: Verb }) => void act(adapter, verb, plan));
  process.send?.('open');
}

async function act(adapter: CredentialProvider | undefined, verb: Verb, plan: Plan): Promise<void> {
  try {
    await adapter?.[verb](plan);
  } catch {
    // Whether it could is not asked here.
  }
  process.send?.('done');
}
