/**
 * One service's database: its own schema, its own role, on PostgreSQL. The only transaction manager of Mayfly:
 * inbox, events, rows, outbox and the consumer's position change in one transaction or not at all.
 */
import pg from 'pg';
import { inOneAnswer } from './one-answer.js';

// int8 is an offset or a counter here: never a float.
pg.types.setTypeParser(pg.types.builtins.INT8, BigInt);

export type Tx = pg.ClientBase;

export interface DatabaseSettings {
  url: string;
  /** Must be a plain lower-case name: it becomes the search path. */
  schema: string;
  /** Shown in `pg_stat_activity`. */
  application: string;
  maxConnections?: number;
  /**
   * For who asks the same few things all the time, each of which an index answers whatever the values are: none is planned twice on a
   * connection. PostgreSQL by itself goes on planning where a list of one seems cheaper than a list of unknown length.
   */
  keepsPlans?: boolean;
}

const QUERY_TIMEOUT_MS = 12_000;
/** A burst after a quiet minute is not to begin with logins, each of which takes the server ten milliseconds, and with planning everything anew. */
const IDLE_TIMEOUT_MS = 600_000;
/** What passes on packets in between forgets a connection on which there were none for a few minutes, and says so to nobody. */
const KEEP_ALIVE_AFTER_MS = 30_000;

export interface Database {
  readonly pool: pg.Pool;
  readonly schema: string;
  close(): Promise<void>;
}

/**
 * No sequential scans where an index can do it: a plan is kept that was made while its table was still empty, and would read all
 * of it from then on, until statistics are taken.
 */
const SESSION = '-c idle_in_transaction_session_timeout=15s -c lock_timeout=10s -c enable_seqscan=off';
const PLANNED_ONCE = '-c plan_cache_mode=force_generic_plan';

/** Opens a pool whose connections see only `schema`. Nothing is connected until the first query. */
export function openDatabase(
  settings: DatabaseSettings,
  onIdleError: (error: Error) => void = () => {},
): Database {
  if (!/^[a-z][a-z0-9_]{0,62}$/.test(settings.schema)) throw new TypeError('schema is not a plain name');
  const pool = new pg.Pool({
    connectionString: settings.url,
    application_name: settings.application,
    max: settings.maxConnections ?? 8,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    // What does not wait for an answer is sent at once, in order: a transaction is three waits, not seven.
    pipeline: true,
    // A server that takes a commit and never answers: longer than any lock is waited for, and the connection is given up.
    query_timeout: QUERY_TIMEOUT_MS,
    options: [
      `-c search_path=${settings.schema}`,
      SESSION,
      ...(settings.keepsPlans ? [PLANNED_ONCE] : []),
    ].join(' '),
  });
  // An idle connection that dies is replaced at the next use; without a listener it would end the process.
  pool.on('error', onIdleError);
  pool.on('connect', inOneAnswer);
  return { pool, schema: settings.schema, close: () => pool.end() };
}

/**
 * What a transaction returns whose last statements have been sent: the COMMIT goes with them, and one wait is for both. The answer may
 * fail only where a statement does, for then there was no commit.
 */
export class Last<T> {
  constructor(readonly answer: Promise<T>) {
    // Heard where it is waited for.
    answer.catch(() => undefined);
  }
}

/** Prepared, as the statements between them: a statement of the simple protocol is answered by itself. Who reads along sees their names. */
const BEGIN = { name: 'BEGIN', text: 'BEGIN' };
const COMMIT = { name: 'COMMIT', text: 'COMMIT' };

export const answerOf = async <T>(result: T | Last<T>): Promise<T> =>
  result instanceof Last ? await result.answer : result;

/**
 * Runs `work` in one READ COMMITTED transaction; what it throws rolls back and is thrown on. Statements run in the order in
 * which they are sent, each on a snapshot of its own: those that need no answer of one before may be sent with it.
 */
export async function transact<T>(db: Database, work: (tx: Tx) => Promise<T | Last<T>>): Promise<T> {
  const client = await db.pool.connect();
  let broken: Error | undefined;
  // Without a listener, a connection lost between two statements is an unhandled error event.
  const onError = (error: Error) => (broken = error);
  client.on('error', onError);
  try {
    const begun = client.query(BEGIN);
    begun.catch(() => undefined);
    const result = await work(client);
    await begun;
    const [answer, { command }] = await Promise.all([answerOf(result), client.query(COMMIT)]);
    // The answer to the COMMIT of a transaction in which something failed, whoever overlooked that.
    if (command !== 'COMMIT') throw new Error('a transaction was rolled back at its commit');
    return answer;
  } catch (error) {
    await client.query('ROLLBACK').catch((cause: Error) => (broken = cause));
    throw error;
  } finally {
    client.off('error', onError);
    client.release(broken);
  }
}
