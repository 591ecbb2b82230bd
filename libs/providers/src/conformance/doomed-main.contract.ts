/** The program of a process that is to be killed: opens an adapter, says so, does what it is told, says so. */
import { createLog } from '#telemetry/log.js';
import { openProviders } from '../open-providers.js';
import type { Plan } from '../provider.js';
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
  const adapter = openProviders([target], log, { maxClockSkewMs: 2_000 }).get(target.id);
  await adapter?.observe(plan);
  process.once('message', ({ verb }: { verb: Verb }) => {
    const done = () => process.send?.('done');
    adapter?.[verb](plan).then(done, done);
  });
  process.send?.('open');
}
