/** Records of some partitions, in one transaction: positions, effects and outbox together. */
import type { BusRecord } from '#bus/bus.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { transact, type Database, type Last, type Tx } from './database.js';
import {
  isHandled,
  moveOffsets,
  NOTHING_HANDLED,
  partitionKey,
  positionsBehind,
  type Move,
} from './offsets.js';

const RETRYABLE = new Set(['ERR_VERSION_TAKEN', '23505', '40001', '40P01']);
const ATTEMPTS = 3;

/** Another owner of a partition has handled some of the records. */
class Overtaken extends Error {}

/**
 * Hands `handle` the records that were not handled yet, and moves the positions with their effects.
 * A lost race (a version or an inbox pair was taken, a deadlock) is decided again, at most three times.
 * @param records in order within each key.
 * @param handle is called in every attempt, with no records where another owner of the partitions has handled them all:
 *   what an attempt leaves behind for after the commit MUST be what it returns.
 * @param moves where the positions stand once these records are handled: behind them, where none before them is left out.
 * @returns what the attempt that was committed returned.
 */
export async function consumeBatch<E>(
  db: Database,
  group: string,
  records: readonly BusRecord[],
  handle: (tx: Tx, records: readonly BusRecord[]) => Promise<E | Last<E>>,
  moves: readonly Move[] = positionsBehind(records),
): Promise<E> {
  let attempt: Attempt = ahead;
  for (let lost = 0; ;) {
    try {
      const effects = await transact(db, async (tx) => {
        const effects = await attempt(tx, records, () => notHandledYet(tx, group, records, moves), handle);
        faultPoint('batch.before_commit');
        return effects;
      });
      faultPoint('batch.after_commit');
      return effects;
    } catch (error) {
      if (error instanceof Overtaken) attempt = afterALook;
      else if (++lost >= ATTEMPTS || !RETRYABLE.has((error as { code?: string }).code ?? '')) throw error;
    }
  }
}

type Attempt = <E>(
  tx: Tx,
  records: readonly BusRecord[],
  /** Moves the positions. @returns those of the records that nobody has handled. */
  move: () => Promise<BusRecord[]>,
  handle: (tx: Tx, records: readonly BusRecord[]) => Promise<E>,
) => Promise<E>;

/** All of them are to be handled unless partitions have just changed hands, so what is read of them is asked for with the positions. */
const ahead: Attempt = async (tx, records, move, handle) => {
  const sure = move().then((wanted) => {
    if (wanted.length < records.length) throw new Overtaken();
  });
  // Both are waited for: nothing may be asked any more once the connection is somebody else's.
  const [look, handled] = await Promise.allSettled([sure, handle(onceSure(tx, sure), records)]);
  if (look.status === 'rejected') throw look.reason;
  if (handled.status === 'rejected') throw handled.reason;
  return handled.value;
};

const afterALook: Attempt = async (tx, _records, move, handle) => handle(tx, await move());

/** The same transaction, of which nobody sees an answer where it turns out that it should not have asked. */
function onceSure(tx: Tx, sure: Promise<void>): Tx {
  const query = tx.query.bind(tx) as (...of: unknown[]) => Promise<unknown>;
  const onceItIs = (...of: unknown[]): Promise<unknown> => {
    const answer = query(...of);
    // Heard where it is waited for.
    answer.catch(() => undefined);
    return sure.then(() => answer);
  };
  return Object.create(tx, { query: { value: onceItIs } }) as Tx;
}

async function notHandledYet(
  tx: Tx,
  group: string,
  records: readonly BusRecord[],
  moves: readonly Move[],
): Promise<BusRecord[]> {
  if (moves.length === 0) return [];
  const before = await moveOffsets(tx, group, moves);
  return records.filter(
    (record) => !isHandled(before.get(partitionKey(record)) ?? NOTHING_HANDLED, record.offset),
  );
}
