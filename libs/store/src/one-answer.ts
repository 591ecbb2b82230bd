/**
 * Statements that are sent in one turn of the event loop leave in one write to the socket, and those of one transaction are answered
 * in one. The client sends a Sync behind each statement, to which PostgreSQL answers by itself: both sides then pay for a message what
 * a statement costs. A Sync is needed behind the last alone (PostgreSQL 18, "Protocol Flow", Pipelining).
 *
 * The client takes each ReadyForQuery, the answer to a Sync, for the end of a statement: it is told of those that are left out.
 */
import type { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type pg from 'pg';

/** As in pg 8.23, beside its types. */
interface Connection extends EventEmitter {
  stream: { cork(): void; uncork(): void };
  /** Ends each statement that is prepared. */
  sync(): void;
  /** A statement of the simple protocol, which is answered by itself. */
  query(text: string): void;
}

/** Statements with one Sync behind them, in the order of the answers. */
interface Group {
  unanswered: number;
}

const ENDS: ReadonlySet<string | undefined> = new Set(['COMMIT', 'ROLLBACK']);

/** What PostgreSQL says where each statement has a Sync. */
class Skipped extends Error {
  readonly code = '25P02';
  constructor() {
    super('current transaction is aborted, commands ignored until end of transaction block');
  }
}

/** For each connection of a pool, once it is connected. */
export function inOneAnswer(client: pg.PoolClient): void {
  const { connection } = client as unknown as { connection: Connection };
  const groups = new Groups(connection);
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  let isCorked = false;
  client.query = ((...args: unknown[]): unknown => {
    if (!isCorked) {
      isCorked = true;
      connection.stream.cork();
      setImmediate(() => {
        isCorked = false;
        groups.close();
        connection.stream.uncork();
      });
    }
    const text = textOf(args[0]);
    if (text === 'BEGIN') groups.inTransaction = true;
    const answer = afterTheCause(query(...args));
    if (ENDS.has(text)) {
      groups.inTransaction = false;
      groups.close();
    }
    return answer;
  }) as typeof client.query;
}

/** What failed is told a turn before what was skipped for it, so that whoever waits for both hears of that. */
function afterTheCause(answer: unknown): unknown {
  if (!(answer instanceof Promise)) return answer;
  return answer.catch(async (error: unknown) => {
    if (error instanceof Skipped) await nextTurn();
    throw error;
  });
}

const textOf = (statement: unknown): string | undefined =>
  typeof statement === 'string' ? statement : (statement as { text?: string } | undefined)?.text;

class Groups {
  inTransaction = false;
  /** Its Sync is not sent yet. */
  #open: Group | undefined;
  readonly #sent: Group[] = [];
  readonly #sync: () => void;
  #isTelling = false;

  constructor(private readonly connection: Connection) {
    this.#sync = connection.sync.bind(connection);
    const query = connection.query.bind(connection);
    connection.sync = () => this.#ended();
    connection.query = (text) => {
      this.close();
      this.#sent.push({ unanswered: 1 });
      query(text);
    };
    // After the client's own listeners. A statement that cannot be bound is closed instead.
    connection.on('commandComplete', () => this.#answered());
    connection.on('emptyQuery', () => this.#answered());
    connection.on('closeComplete', () => this.#answered());
    connection.on('errorMessage', () => this.#failed());
    connection.on('readyForQuery', () => {
      if (!this.#isTelling) this.#sent.shift();
    });
  }

  close(): void {
    if (this.#open === undefined) return;
    this.#open = undefined;
    this.#sync();
  }

  #ended(): void {
    if (this.#open === undefined) {
      this.#open = { unanswered: 0 };
      this.#sent.push(this.#open);
    }
    this.#open.unanswered += 1;
    if (!this.inTransaction) this.close();
  }

  #answered(): void {
    const [group] = this.#sent;
    if (group === undefined || group.unanswered < 2) return;
    group.unanswered -= 1;
    this.#tellReady();
  }

  /** Nothing behind it in its group is answered. */
  #failed(): void {
    const [group] = this.#sent;
    if (group === undefined || this.#isTelling) return;
    this.#isTelling = true;
    for (; group.unanswered > 1; group.unanswered -= 1) {
      this.connection.emit('readyForQuery', { status: 'E' });
      this.connection.emit('errorMessage', new Skipped());
    }
    this.#isTelling = false;
  }

  #tellReady(): void {
    this.#isTelling = true;
    this.connection.emit('readyForQuery', { status: 'T' });
    this.#isTelling = false;
  }
}
