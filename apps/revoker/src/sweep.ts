/**
 * A sweep of one target (protocol rule 9): list what is there, take the ends of the topics, read up to them, then judge. In any
 * other order a revoker that lags would cut healthy credentials: an intent is on the topic before its principal is there.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus, LogEnd } from '#bus/bus.js';
import { adoptOrphan, hearVanished, isPastGrace, NO_TASK } from '#events/orphan.js';
import { cutAgain, type DoomedLease, type RevokerLease } from '#events/revocation.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import type { CredentialProvider } from '#providers/provider.js';
import { transact, type Database } from '#store/database.js';
import { readPositions } from '#store/offsets.js';
import { GROUP } from './publish.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';

export interface SweepParts extends RevokerParts {
  bus: Bus;
  taker: () => Taker;
  /** Takes what is to be done after a commit. */
  after: (flushed: Flushed) => void;
}

interface Principal {
  principal: string;
  leaseId: string;
}

const AT_ONCE = 100;
const LOOKS_AT_ONCE = 8;
const LOOK_AGAIN_MS = 200;

export interface SweepRules {
  /** Also whether every lease that is known still has its access: in a life that is forgotten it may have been cut. */
  deep: boolean;
  /** How young an orphan may be and still be let alone. */
  graceMs: number;
}

/**
 * Resolves once everything unexplained is due; with those leases.
 * @throws ProviderError where the target cannot be listed; AbortError
 */
export async function sweepTarget(
  target: string,
  provider: CredentialProvider,
  parts: SweepParts,
  rules: SweepRules,
  signal?: AbortSignal,
): Promise<string[]> {
  const listed: Principal[] = [];
  for await (const found of provider.list()) listed.push(found);
  await readUpTo(parts.db, await parts.bus.ends([TASK_EVENTS, CREDENTIAL_EVENTS]), signal);

  const doomed: string[] = [];
  for (let i = 0; i < listed.length; i += AT_ONCE)
    doomed.push(...(await judge(target, provider, listed.slice(i, i + AT_ONCE), parts, rules.graceMs)));
  const present = new Set(listed.map(({ leaseId }) => leaseId));
  await findVanished(target, provider, present, parts, rules.deep);
  if (doomed.length > 0)
    parts.log.error({ target, principals: doomed.length }, 'access was found that no live lease explains');
  return doomed;
}

/** Waits until this service, whichever of its processes, has handled everything before these ends. */
async function readUpTo(db: Database, ends: readonly LogEnd[], signal?: AbortSignal): Promise<void> {
  for (;;) {
    const positions = await readPositions(db, GROUP, ends);
    const isThere = ends.every(({ topic, partition, next, oldest }) => {
      const position = positions.find((each) => each.topic === topic && each.partition === partition);
      return next === oldest || (position?.next ?? 0n) >= next;
    });
    if (isThere) return;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}

/** @returns leases of what has to go. */
async function judge(
  target: string,
  provider: CredentialProvider,
  listed: readonly Principal[],
  parts: SweepParts,
  graceMs: number,
): Promise<string[]> {
  const leaseIds = listed.map(({ leaseId }) => leaseId);
  const known = new Map((await readLeases(parts.db, leaseIds)).map((lease) => [lease.leaseId, lease]));
  const nowMs = Date.now();
  const orphans = listed.filter(({ leaseId }) => !known.has(leaseId) && isPastGrace(leaseId, nowMs, graceMs));
  const back = await cameBack([...known.values()], provider);
  if (orphans.length + back.length === 0) return [];

  const flushed = await transact(parts.db, async (tx) => {
    const wanted = { ensure: [NO_TASK], lock: back.map(({ taskId }) => taskId), leases: leaseIds };
    const work = await UnitOfWork.begin(tx, wanted, Date.now());
    for (const { leaseId, principal } of orphans) {
      if (work.lease(leaseId) !== null) continue;
      work.step(adoptOrphan({ leaseId, principal, target, provider: provider.kind }, work.nowMs));
    }
    for (const { leaseId, taskId } of back) {
      const lease = work.lease(leaseId);
      if (lease !== null && isProven(lease) && work.holds(taskId)) work.step(cutAgain(lease, work.nowMs));
    }
    return await work.flush(tx, parts.taker());
  });
  parts.after(flushed);
  return [...orphans, ...back].map(({ leaseId }) => leaseId);
}

const isProven = (lease: RevokerLease): lease is DoomedLease =>
  lease.state === 'cut' || lease.state === 'removed';

/** Leases whose access was proven gone, and whose principals are there again: somebody made them anew, or restored a backup. */
async function cameBack(
  known: readonly RevokerLease[],
  provider: CredentialProvider,
): Promise<DoomedLease[]> {
  const proven = known.filter(isProven);
  const back: DoomedLease[] = [];
  for (let i = 0; i < proven.length; i += LOOKS_AT_ONCE) {
    const some = proven.slice(i, i + LOOKS_AT_ONCE);
    const states = await Promise.all(some.map((lease) => stateOf(lease, provider)));
    // What was only cut is still there, and is being cleaned.
    back.push(
      ...some.filter(
        ({ state }, n) => states[n] === 'live' || (state === 'removed' && states[n] !== 'absent'),
      ),
    );
  }
  return back;
}

/** What was not listed may have been made since: each is looked at before it is believed to be gone. */
async function findVanished(
  target: string,
  provider: CredentialProvider,
  listed: ReadonlySet<string>,
  parts: SweepParts,
  deep: boolean,
): Promise<void> {
  for (let after = '', full = true; full;) {
    const { rows } = await parts.db.pool.query<{ body: RevokerLease }>(
      `SELECT body FROM lease WHERE target = $1 AND state = 'known' AND (body->>'issued')::boolean AND lease_id > $2
        ORDER BY lease_id LIMIT $3`,
      [target, after, AT_ONCE],
    );
    after = rows.at(-1)?.body.leaseId ?? after;
    full = rows.length === AT_ONCE;
    const doubtful = rows.map(({ body }) => body).filter(({ leaseId }) => deep || !listed.has(leaseId));
    const gone: RevokerLease[] = [];
    for (let i = 0; i < doubtful.length; i += LOOKS_AT_ONCE) {
      const some = doubtful.slice(i, i + LOOKS_AT_ONCE);
      const states = await Promise.all(some.map((lease) => stateOf(lease, provider)));
      gone.push(...some.filter((_, n) => states[n] === 'absent' || states[n] === 'disabled'));
    }
    if (gone.length > 0) parts.after(await tellVanished(gone, parts));
  }
}

async function tellVanished(gone: readonly RevokerLease[], { db, taker }: SweepParts): Promise<Flushed> {
  return await transact(db, async (tx) => {
    const wanted = {
      ensure: [],
      lock: gone.map(({ taskId }) => taskId),
      leases: gone.map(({ leaseId }) => leaseId),
    };
    const work = await UnitOfWork.begin(tx, wanted, Date.now());
    for (const { leaseId, taskId } of gone) {
      const lease = work.lease(leaseId);
      if (lease?.state === 'known' && work.holds(taskId)) work.step(hearVanished(lease, work.nowMs));
    }
    return await work.flush(tx, taker());
  });
}

/** `unknown` where it cannot be looked at: that is no reason to believe anything. */
async function stateOf({ plan }: RevokerLease, provider: CredentialProvider) {
  return plan === null ? 'unknown' : (await provider.observe(plan)).state;
}

async function readLeases(db: Database, leaseIds: readonly string[]): Promise<RevokerLease[]> {
  const { rows } = await db.pool.query<{ body: RevokerLease }>(
    'SELECT body FROM lease WHERE lease_id = ANY($1::text[])',
    [leaseIds],
  );
  return rows.map(({ body }) => body);
}

/** Resolves once none of them has access any more. @throws AbortError */
export async function cutOf(db: Database, leaseIds: readonly string[], signal?: AbortSignal): Promise<void> {
  for (;;) {
    const { rows } = await db.pool.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM lease WHERE lease_id = ANY($1::text[]) AND state = 'due'`,
      [leaseIds],
    );
    if (rows[0]?.n === 0) return;
    await sleep(LOOK_AGAIN_MS, undefined, { signal });
  }
}
