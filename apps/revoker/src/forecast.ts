/**
 * What this revoker would revoke if it went to work now, and nothing of it done: every target is listed, the topics are read to their
 * end, and what follows is decided by the same code as ever, in one transaction that is undone. For an operator, after a restore.
 */
import type { Bus, BusRecord } from '#bus/bus.js';
import { readToEnd } from '#bus/read-to-end.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { answerOf, type Database, type Tx } from '#store/database.js';
import { readPositions } from '#store/offsets.js';
import { unlessItFails } from '#store/savepoint.js';
import { readStoreLife } from '#store/store-meta.js';
import type { Log } from '#telemetry/log.js';
import { hearRecord } from './heard-record.js';
import { onLeaseEvents } from './on-lease-event.js';
import { onTaskEvents, readTaskEvent } from './on-task-event.js';
import { GROUP } from './publish.js';
import type { RevokerParts } from './revoker-parts.js';
import type { Taker } from './taker.js';

export interface Foreseen {
  leaseId: string;
  /** Null for what no lease explains. */
  taskId: string | null;
  target: string | null;
  principal: string | null;
  /** As in `lease.access_cut`. */
  cause: string;
}

export interface Forecast {
  revocations: Foreseen[];
  /** Records that could not be handled: what they would end is not foreseen. */
  unread: number;
  /** Targets that could not be listed: their orphans are not foreseen. */
  unlisted: string[];
}

/** By this name an observer's sessions are told from those of revokers at work. */
export const OBSERVER = 'mayfly-revoker-observer';
export const AT_WORK = 'mayfly-revoker';
const BATCH = 100;
const TOLD_MAX = 1_000;
const NOBODY: Taker = { instanceId: '', takes: () => false, turnOf: () => 0 };

/** Requires that no revoker is at work on this database: its rows are locked meanwhile. @throws BusError where the topics cannot be read */
export async function forecast(bus: Bus, parts: RevokerParts): Promise<Forecast> {
  const { listed, unlisted } = await listTargets(parts);
  const tx = await parts.db.pool.connect();
  tx.on('error', () => undefined);
  try {
    await tx.query('BEGIN');
    await tx.query('SET LOCAL idle_in_transaction_session_timeout = 0');
    const unread = await readOn(tx, bus, parts);
    return { revocations: [...(await due(tx)), ...(await orphans(tx, listed))], unread, unlisted };
  } finally {
    // With its session ends the transaction, and all that was decided in it.
    tx.release(true);
  }
}

/** Whether a revoker is at work on this database. */
export async function isAtWork(db: Database): Promise<boolean> {
  const { rowCount } = await db.pool.query(
    `SELECT FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database() AND usename = current_user`,
    [AT_WORK],
  );
  return (rowCount ?? 0) > 0;
}

export function tellForecast({ revocations, unread, unlisted }: Forecast, log: Log): void {
  for (const each of revocations.slice(0, TOLD_MAX)) log.warn({ ...each }, 'would be revoked');
  const causes: Record<string, number> = {};
  for (const { cause } of revocations) causes[cause] = (causes[cause] ?? 0) + 1;
  log.warn({ leases: revocations.length, causes, unread, unlisted }, 'what would be revoked, and is not');
}

interface Listed {
  target: string;
  principal: string;
  leaseId: string;
}

/** Before the topics are read (protocol rule 9). */
async function listTargets({ providers, log }: RevokerParts) {
  const listed: Listed[] = [];
  const unlisted: string[] = [];
  for (const [target, provider] of providers)
    try {
      for await (const found of provider.list()) listed.push({ target, ...found });
    } catch (error) {
      log.warn({ err: error, target }, 'a target could not be listed');
      unlisted.push(target);
    }
  return { listed, unlisted };
}

/** @returns how many records could not be handled */
async function readOn(tx: Tx, bus: Bus, parts: RevokerParts): Promise<number> {
  const { recovering } = await readStoreLife(tx);
  const topics = [TASK_EVENTS, CREDENTIAL_EVENTS];
  const stored = await readPositions(parts.db, GROUP, await bus.ends(topics));
  const from = ({ topic, partition }: { topic: string; partition: number }) =>
    recovering?.topics.includes(topic) === true
      ? 0n
      : (stored.find((each) => each.topic === topic && each.partition === partition)?.next ?? 0n);
  let unread = 0;
  // Partitions come side by side, and there is one transaction.
  let before: Promise<unknown> = Promise.resolve();
  await readToEnd(bus, { group: `${GROUP}.observe`, topics, from }, (records) => {
    const handled = before.then(async () => {
      for (let i = 0; i < records.length; i += BATCH)
        unread += await handle(tx, records.slice(i, i + BATCH), parts);
    });
    before = handled.catch(() => undefined);
    return handled;
  });
  return unread;
}

/** Of one topic. What fails together is tried one by one. */
async function handle(tx: Tx, records: readonly BusRecord[], parts: RevokerParts): Promise<number> {
  const work = async () => {
    const taskEvents = () => records.map((record) => ({ record, said: readTaskEvent(record, parts.trust) }));
    const leaseEvents = () => records.map((record) => ({ record, said: hearRecord(record, parts.peers) }));
    const handled =
      records[0]?.topic === TASK_EVENTS
        ? await onTaskEvents(tx, taskEvents(), parts, NOBODY)
        : await onLeaseEvents(tx, leaseEvents(), parts, NOBODY);
    await answerOf(handled);
    return true;
  };
  const told = (error: unknown) => parts.log.warn({ err: error }, 'a record cannot be handled');
  if (await unlessItFails(tx, work, false, records.length === 1 ? told : () => undefined)) return 0;
  if (records.length === 1) return 1;
  let unread = 0;
  for (const record of records) unread += await handle(tx, [record], parts);
  return unread;
}

async function due(tx: Tx): Promise<Foreseen[]> {
  const { rows } = await tx.query<Foreseen>(
    `SELECT lease_id AS "leaseId", task_id AS "taskId", target, body->'plan'->>'principal' AS principal,
            coalesce(body->'revocation'->>'cause', 'expired') AS cause
       FROM lease WHERE state = 'due' OR (state = 'known' AND not_after <= clock_timestamp())
      ORDER BY target, lease_id`,
  );
  return rows;
}

/** What is there without a lease, or after its lease was removed. */
async function orphans(tx: Tx, listed: readonly Listed[]): Promise<Foreseen[]> {
  const { rows } = await tx.query<Foreseen>(
    `SELECT p.lease_id AS "leaseId", l.task_id AS "taskId", p.target, p.principal,
            coalesce(l.body->'revocation'->>'cause', 'orphan') AS cause
       FROM unnest($1::text[], $2::text[], $3::text[]) AS p(lease_id, target, principal)
       LEFT JOIN lease l ON l.lease_id = p.lease_id
      WHERE l.lease_id IS NULL OR l.state = 'removed' ORDER BY p.target, p.lease_id`,
    [
      listed.map(({ leaseId }) => leaseId),
      listed.map(({ target }) => target),
      listed.map(({ principal }) => principal),
    ],
  );
  return rows;
}
