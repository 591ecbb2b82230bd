/**
 * Carries out an order that is not done with its commit: the leases that it reaches are due page by page, and how far it has come is
 * written with each page, so that whoever goes on after a crash goes on there. What is heard of meanwhile is met by
 * `standing-orders.ts`.
 */
import type { LogEnd } from '#bus/bus.js';
import type { EventOf } from '#events/outbound.js';
import { NO_ONE_TASK } from '#events/order-events.js';
import { makeDue } from '#events/revocation.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { readPositions } from '#store/offsets.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import { credentialRecord, GROUP, SOURCE } from '../publish.js';
import { UnitOfWork, type Flushed, type Taker } from '../unit-of-work.js';
import { countLeases } from './order-report.js';
import {
  nextLeases,
  noteDying,
  readOrder,
  saveProven,
  saveReadTo,
  saveWalk,
  takeOpenOrder,
  type OrderRow,
  type ReadTo,
} from './order-rows.js';

const PAGE = 200;

/** @returns null where nothing is left to be found, or another process is at it. */
export async function carryOutPage(
  db: Database,
  orderId: string,
  taker: () => Taker,
  page = PAGE,
): Promise<Flushed | null> {
  return await transact(db, async (tx) => {
    const order = await takeOpenOrder(tx, orderId);
    return order === null || order.walkedAt !== null ? null : await findLeases(tx, order, taker(), page);
  });
}

async function findLeases(tx: Tx, order: OrderRow, taker: Taker, page: number): Promise<Flushed> {
  const found = await nextLeases(tx, order, page);
  const isDone = found.length < page;
  await saveWalk(tx, order.orderId, { walkedTo: found.at(-1)?.leaseId ?? order.walkedTo, isDone });
  if (isDone) await noteDying(tx, order);
  const wanted = {
    ensure: [],
    lock: found.map(({ taskId }) => taskId),
    leases: found.map(({ leaseId }) => leaseId),
  };
  const work = await UnitOfWork.begin(tx, wanted, Date.now());
  const cause = order.scope === 'agent' ? ('agent_revoked' as const) : ('operator' as const);
  for (const { leaseId, taskId } of found) {
    const lease = work.lease(leaseId);
    // It may have become due since it was read, of something else.
    if (lease?.state === 'known' && work.holds(taskId))
      work.step(makeDue(lease, { cause, causedBy: order.ceId }, work.nowMs));
  }
  return await work.flush(tx, taker);
}

/** Where the credential topic ends at this moment; null while there is no bus. */
export type EndsOfBus = () => Promise<readonly LogEnd[] | null>;

/** Says so, once, where all that the order concerns is proven cut, and what the bus had by then has been read. */
export async function proveOrder(
  db: Database,
  orderId: string,
  endsOfBus: EndsOfBus,
): Promise<QueuedRecord[]> {
  const found = await readOrder(db.pool, orderId);
  if (found === null || found.walkedAt === null || !(await hasRead(db, found, endsOfBus))) return [];
  return await transact(db, async (tx) => {
    const order = await takeOpenOrder(tx, orderId);
    if (order === null) return [];
    const { found: leases, due } = await countLeases(tx, order);
    if (due > 0) return [];
    await saveProven(tx, orderId, leases);
    return await enqueue(tx, [credentialRecord(provenEvent(order, leases), Date.now())]);
  });
}

/** One lease is known, or there would be no order about it; of all others there may be more on the bus. */
async function hasRead(db: Database, order: OrderRow, endsOfBus: EndsOfBus): Promise<boolean> {
  if (order.scope === 'lease') return true;
  const readTo = order.readTo ?? readToOf(await endsOfBus());
  if (readTo === null) return false;
  if (order.readTo === null) await saveReadTo(db, order.orderId, readTo);
  const partitions = readTo.map(({ partition }) => ({ topic: CREDENTIAL_EVENTS, partition }));
  const positions = await readPositions(db, GROUP, partitions);
  const nextOf = new Map(positions.map(({ partition, next }) => [partition, next]));
  return readTo.every(({ partition, next }) => (nextOf.get(partition) ?? 0n) >= BigInt(next));
}

/** Nothing can be read of a partition that holds nothing. */
const readToOf = (ends: readonly LogEnd[] | null): ReadTo[] | null =>
  ends === null
    ? null
    : ends
        .filter(({ next, oldest }) => next !== oldest)
        .map(({ partition, next }) => ({ partition, next: String(next) }));

function provenEvent(
  { orderId, scope, subject, ceId }: OrderRow,
  leases: number,
): EventOf<'revocation.proven'> {
  return {
    type: 'revocation.proven',
    data: {
      ...{ taskId: scope === 'task' && subject !== null ? subject : NO_ONE_TASK, generation: 0 },
      ...{ causedBy: ceId, actor: SOURCE, at: new Date().toISOString() },
      ...{ orderId, scope, ...(subject === null ? {} : { subject }), leases },
    },
  };
}
