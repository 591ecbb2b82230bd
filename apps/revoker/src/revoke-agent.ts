/** The known end of an agent: verifiers are told, and every lease that it has, of whatever task, is due. */
import { makeDue } from '#events/revocation.js';
import { transact, type Database } from '#store/database.js';
import { enqueueWith } from '#store/outbox.js';
import { holdAgents } from './revoked-agents.js';
import { tellRevocations } from './revocation-rows.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';

export interface AgentEnd {
  agent: string;
  /** Null: whatever it gets later is dead too. */
  generationBelow: number | null;
  causedBy: string | null;
  /** Until then verifiers remember it, and leases heard of are due at once. */
  notAfterMs: number;
}

const BATCH = 200;

/**
 * Resolves once every known lease of the agent is due. Doing it twice does no more.
 * @param after takes what is to be done after each commit
 */
export async function revokeAgent(
  db: Database,
  { agent, generationBelow, causedBy, notAfterMs }: AgentEnd,
  taker: () => Taker,
  after: (flushed: Flushed) => void,
): Promise<void> {
  const told = await transact(db, async (tx) => {
    await holdAgents(tx);
    const reason = 'agent_revoked';
    const notice = { what: 'agent' as const, id: agent, generationBelow, notAfterMs, reason, causedBy };
    const { writes, records } = await tellRevocations(tx, [notice], Date.now());
    return await enqueueWith(tx, writes, records);
  });
  after({ queued: told, work: [] });
  for (let full = true; full;) {
    const { rows } = await db.pool.query<{ leaseId: string; taskId: string }>(
      `SELECT lease_id AS "leaseId", task_id AS "taskId" FROM lease
        WHERE state = 'known' AND body->>'agent' = $1 LIMIT ${BATCH}`,
      [agent],
    );
    full = rows.length === BATCH;
    const flushed = await transact(db, async (tx) => {
      const wanted = {
        ensure: [],
        lock: rows.map(({ taskId }) => taskId),
        leases: rows.map(({ leaseId }) => leaseId),
      };
      const work = await UnitOfWork.begin(tx, wanted, Date.now());
      for (const { leaseId, taskId } of rows) {
        const lease = work.lease(leaseId);
        if (lease?.state === 'known' && work.holds(taskId))
          work.step(makeDue(lease, { cause: 'agent_revoked', causedBy }, work.nowMs));
      }
      return await work.flush(tx, taker());
    });
    after(flushed);
  }
}
