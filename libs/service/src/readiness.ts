/** Why a service cannot do its work now. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '#store/database.js';
import { readStoreLife } from '#store/store-meta.js';
import type { Metrics } from '#telemetry/metrics.js';

/** Short constant phrases; none where all is well. */
export type Reasons = () => readonly string[] | Promise<readonly string[]>;

const ANSWER_WITHIN_MS = 2_000;
const OUTBOX_OLD_MS = 5_000;
const FAILING_MS = 2_000;

/** All reasons, in the order of the list. One that cannot be found out in time is a reason itself. */
export async function reasonsOf(list: readonly Reasons[], withinMs = ANSWER_WITHIN_MS): Promise<string[]> {
  const late = new AbortController();
  const found = await Promise.all(
    list.map((reasons) =>
      Promise.race([
        asked(reasons),
        sleep(withinMs, ['a readiness check does not answer'], { signal: late.signal, ref: false }),
      ]),
    ),
  );
  late.abort();
  return [...new Set(found.flat())];
}

const asked = async (reasons: Reasons): Promise<readonly string[]> => {
  try {
    return await reasons();
  } catch {
    return ['a readiness check failed'];
  }
};

/** A server that is frozen answers no less slowly than one that is away. */
export const databaseAnswers =
  (db: Database): Reasons =>
  async () => {
    const answer = db.pool.query('SELECT 1').then(
      () => [],
      () => ['database does not answer'],
    );
    return await Promise.race([
      answer,
      sleep(ANSWER_WITHIN_MS / 2, ['database does not answer'], { ref: false }),
    ]);
  };

/** Measures how long the oldest record has waited to be sent, and is a reason where that is long. */
export function outboxIsSent(oldestMs: () => number, metrics: Metrics): Reasons {
  metrics.gauge({
    name: 'outbox_oldest_seconds',
    help: 'Age of the oldest record that waits to be sent.',
    read: () => oldestMs() / 1_000,
  });
  return () => (oldestMs() > OUTBOX_OLD_MS ? ['outbox is not being sent'] : []);
}

/** A database may answer and still take nothing: a full disk, a standby. @param failingMs how long records have waited for it */
export const databaseTakes =
  (failingMs: () => number): Reasons =>
  () =>
    failingMs() > FAILING_MS ? ['records wait for the database'] : [];

/** From a restore, or a topic made anew, until all is done that `mayfly recover` ordered. */
export const notRecovering =
  (db: Database): Reasons =>
  async () =>
    (await readStoreLife(db.pool)).recovering === null
      ? []
      : ['recovering: nothing is issued until it is done'];
