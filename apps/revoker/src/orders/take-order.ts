/**
 * Takes an operator's order: its row, the record that tells who ordered what and why, and what can be done at once, in one
 * transaction. One lease, or a task by its generation, is due with that commit; the rest is found page by page (`carry-out.ts`).
 */
import { makeDue } from '#events/revocation.js';
import {
  isSameOrder,
  roleRefusal,
  unknownRefusal,
  type OrderRefusal,
  type RevocationOrder,
} from '#events/revocation-order.js';
import { NO_ONE_TASK, type OrderScope } from '#events/order-events.js';
import type { EventOf } from '#events/outbound.js';
import { unreachable } from '#events/unreachable.js';
import { ConcurrencyError } from '#store/events.js';
import type { Tx } from '#store/database.js';
import type { UnsignedRecord } from '#store/outbox.js';
import { credentialRecord } from '../publish.js';
import type { RevokerParts } from '../revoker-parts.js';
import { highestGeneration } from '../tombstone-rows.js';
import { UnitOfWork, type Flushed, type Taker } from '../unit-of-work.js';
import { readAgent, saveAgent } from './agent-rows.js';
import { findSubject, type Subject } from './find-subject.js';
import { insertOrder, noteDying, readOrder, type NewOrder } from './order-rows.js';
import { rejectedRecord } from './rejected-record.js';
import { holdOrders } from './standing-orders.js';

/** `again`: it had been taken before. */
export type Taken = { flushed: Flushed } & (
  { is: 'taken'; again: boolean } | { is: 'refused'; refusal: OrderRefusal }
);

/** Agents are few. What is told of one stays on the topic, so that its generations are never counted anew, not even after a restore. */
const AGENT_REMEMBERED_MS = 3_650 * 86_400_000;
/** These concern leases that nobody has heard of yet. */
const REACHES_LATER: readonly OrderScope[] = ['agent', 'target', 'all'];
const NOTHING: Flushed = { queued: [], work: [] };

/** Requires that whoever orders is authenticated. @throws ConcurrencyError where the same order is being taken elsewhere: take it again */
export async function takeOrder(
  tx: Tx,
  order: RevocationOrder,
  parts: RevokerParts,
  taker: Taker,
): Promise<Taken> {
  const forbidden = roleRefusal(order.by, parts.catalogue.operators);
  if (forbidden !== null) return await refuse(tx, order, forbidden, Date.now(), taker);
  if (REACHES_LATER.includes(order.scope)) await holdOrders(tx);
  // Once nobody is waited for any more: what was intended until now is meant.
  const nowMs = Date.now();
  const before = await readOrder(tx, order.orderId);
  if (before !== null && isSameOrder(before, order)) return { is: 'taken', again: true, flushed: NOTHING };
  if (before !== null) return await refuse(tx, order, REUSED, nowMs, taker);
  const { scope } = order;
  if (scope === 'all') return taken(await begin(tx, order, NO_TASK_SAID, nowMs, parts, taker));
  const subject = await findSubject(tx, scope, order.subject ?? '', parts);
  if (subject === null) return await refuse(tx, order, unknownRefusal(scope), nowMs, taker);
  return taken(await begin(tx, order, subject, nowMs, parts, taker));
}

const taken = (flushed: Flushed): Taken => ({ is: 'taken', again: false, flushed });

const REUSED: OrderRefusal = {
  code: 'ERR_ORDER_ID_REUSED',
  reason: 'this id was used for another order',
};

async function refuse(
  tx: Tx,
  order: RevocationOrder,
  refusal: OrderRefusal,
  nowMs: number,
  taker: Taker,
): Promise<Taken> {
  const work = await UnitOfWork.begin(tx, { ensure: [] }, nowMs);
  work.tell(rejectedRecord({ ...order, order: 'revoke' }, refusal, nowMs));
  return { is: 'refused', refusal, flushed: await work.flush(tx, taker) };
}

async function begin(
  tx: Tx,
  order: RevocationOrder,
  subject: Subject,
  nowMs: number,
  { maxClockSkewMs }: RevokerParts,
  taker: Taker,
): Promise<Flushed> {
  const { scope } = order;
  const write = async (record: UnsignedRecord, isWalked: boolean) => {
    const ceId = record.head.id;
    const row: NewOrder = { ...order, ceId, nowMs, coversUntilMs: nowMs + maxClockSkewMs, isWalked };
    if (!(await insertOrder(tx, row))) throw new ConcurrencyError('an order was taken first');
    return ceId;
  };
  switch (scope) {
    case 'lease': {
      const { taskId, generation } = subject;
      const leaseId = order.subject ?? '';
      const work = await UnitOfWork.begin(tx, { ensure: [], lock: [taskId], leases: [leaseId] }, nowMs);
      const told = orderedRecord(order, { taskId, generation }, nowMs);
      const causedBy = await write(told, true);
      await noteDying(tx, { ...order, ceId: causedBy });
      work.tell(told);
      const lease = work.lease(leaseId);
      if (lease?.state === 'known') work.step(makeDue(lease, { cause: 'operator', causedBy }, nowMs));
      return await work.flush(tx, taker);
    }
    case 'task': {
      const { taskId } = subject;
      const wanted = { ensure: [taskId], ending: [taskId], tombstonesOf: [taskId] };
      const work = await UnitOfWork.begin(tx, wanted, nowMs);
      const generation = await highestGeneration(tx, taskId);
      const generationBelow = generation + 1;
      const told = orderedRecord(order, { taskId, generation, generationBelow }, nowMs);
      const causedBy = await write(told, true);
      await noteDying(tx, { ...order, ceId: causedBy });
      work.tell(told);
      const suspension = { taskId, generationBelow, cause: 'operator' as const, causedBy };
      work.change({ task: work.task(taskId), suspension });
      work.dueUnderEnded();
      return await work.flush(tx, taker);
    }
    case 'agent': {
      const told = orderedRecord(order, NO_TASK_SAID, nowMs);
      const causedBy = await write(told, false);
      const work = await UnitOfWork.begin(tx, { ensure: [] }, nowMs);
      work.tell(told);
      await revokeAgent(tx, work, order, causedBy);
      return await work.flush(tx, taker);
    }
    case 'target':
    case 'all': {
      const told = orderedRecord(order, NO_TASK_SAID, nowMs);
      await write(told, false);
      const work = await UnitOfWork.begin(tx, { ensure: [] }, nowMs);
      work.tell(told);
      return await work.flush(tx, taker);
    }
    default:
      return unreachable(scope);
  }
}

/** The agent gets nothing until it is reinstated, and verifiers take nothing that it has. */
async function revokeAgent(
  tx: Tx,
  work: UnitOfWork,
  { subject, by, reason }: RevocationOrder,
  causedBy: string,
): Promise<void> {
  const agent = subject ?? '';
  const before = await readAgent(tx, agent);
  const generation = before.revoked === true ? before.generation : before.generation + 1;
  await saveAgent(tx, agent, { generation, revoked: true }, causedBy);
  const data = { agent, generationBelow: generation, by, reason };
  const event: EventOf<'agent.revoked'> = {
    type: 'agent.revoked',
    data: { ...commonOf({ by, nowMs: work.nowMs }), causedBy, ...data },
  };
  // Said again, too, where it was revoked before: it costs nothing, and whoever missed it hears it now.
  work.tell(credentialRecord(event, work.nowMs));
  work.revoke({
    ...{ what: 'agent', id: agent, generationBelow: generation, reason: 'agent_revoked', causedBy },
    notAfterMs: work.nowMs + AGENT_REMEMBERED_MS,
  });
}

const NO_TASK_SAID = { taskId: NO_ONE_TASK, generation: 0 };

const commonOf = ({ by, nowMs }: { by: string; nowMs: number }) => ({
  ...NO_TASK_SAID,
  ...{ actor: by, at: new Date(nowMs).toISOString() },
});

function orderedRecord(
  { orderId, scope, subject, by, reason }: RevocationOrder,
  of: { taskId: string; generation: number; generationBelow?: number },
  nowMs: number,
): UnsignedRecord {
  const event: EventOf<'revocation.ordered'> = {
    type: 'revocation.ordered',
    data: {
      ...commonOf({ by, nowMs }),
      ...of,
      ...{ orderId, scope, ...(subject === null ? {} : { subject }), by, reason },
    },
  };
  return credentialRecord(event, nowMs);
}
