/**
 * Leases whose broker died between intent and outcome: nobody knows whether the create landed, so they are abandoned,
 * never sent again, and their calls are decided anew (protocol rule 1).
 */
import { isDead } from '#store/alive.js';
import { transact, type Tx } from '#store/database.js';
import type { BrokerParts } from './broker-parts.js';
import { readFacts, undecidedLeases, type Intended } from './call-rows.js';
import type { LeaseIssuer } from './issue-lease.js';
import { settleLease } from './settle-lease.js';

/** How long after createBy even a living claimant is not waited for. */
const LATE_MS = 5_000;
/**
 * How long after its intent a lease of our own that nobody here works on is taken for lost: the answer to the commit was.
 * Longer than that answer takes.
 */
const LOST_MS = 4_000;

export async function recoverLeases(parts: BrokerParts, issuer: LeaseIssuer): Promise<void> {
  const orphaned = await transact(parts.db, async (tx) => {
    const undecided = await undecidedLeases(tx, { own: parts.instanceId, lateMs: LATE_MS, lostMs: LOST_MS });
    const dead = await deadAmong(tx, new Set(undecided.map((each) => each.claimedBy)));
    const isLost = ({ late, claimedBy, intent: { leaseId } }: (typeof undecided)[number]) =>
      late || dead.has(claimedBy) || (claimedBy === parts.instanceId && !issuer.holds(leaseId));
    return undecided.filter(isLost).map((each) => each.intent);
  });
  for (const intended of orphaned) {
    const { intents, published } = await settleLease(
      { intended, sealTo: await sealKeyOf(intended, parts) },
      { answer: 'none', code: 'ERR_CLAIM_LAPSED' },
      parts,
    );
    parts.log.warn(
      { leaseId: intended.leaseId, target: intended.target },
      'a lease without its broker was abandoned',
    );
    void issuer.take(intents, published);
  }
}

export async function deadAmong(tx: Tx, claimants: ReadonlySet<string>): Promise<Set<string>> {
  const dead = new Set<string>();
  for (const claimant of claimants) if (await isDead(tx, claimant)) dead.add(claimant);
  return dead;
}

async function sealKeyOf(intended: Intended, { db }: BrokerParts) {
  const { calls } = await transact(db, (tx) => readFacts(tx, [intended], [], []));
  const [call] = calls;
  if (call === undefined) throw new Error('a lease has no call');
  return call.request.sealTo;
}
