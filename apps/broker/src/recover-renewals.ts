/** Renewals whose broker died between intention and outcome: the target is asked again, and they are decided anew. */
import { transact } from '#store/database.js';
import type { BrokerParts } from './broker-parts.js';
import type { LeaseRenewer } from './lease-renewer.js';
import { deadAmong } from './recover-leases.js';
import { claimRenewals, undecidedRenewals } from './renewal-rows.js';

/** One of our own that nobody here works on after this is lost: the answer to the commit was. Longer than that answer takes. */
const LATE_MS = 4_000;

export async function recoverRenewals(parts: BrokerParts, renewer: LeaseRenewer): Promise<void> {
  const { db, instanceId, log } = parts;
  const lost = await transact(db, async (tx) => {
    const undecided = await undecidedRenewals(tx, { own: instanceId, lateMs: LATE_MS });
    const dead = await deadAmong(tx, new Set(undecided.map(({ claimedBy }) => claimedBy)));
    const orphaned = undecided.filter(({ leaseId, claimedBy }) =>
      claimedBy === instanceId ? !renewer.holds(leaseId) : dead.has(claimedBy),
    );
    return orphaned.length === 0 ? [] : await claimRenewals(tx, orphaned, instanceId);
  });
  for (const { intended } of lost)
    log.warn(
      { leaseId: intended.leaseId, target: intended.target },
      'a renewal without its broker is taken up',
    );
  renewer.take(lost);
}
