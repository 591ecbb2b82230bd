/**
 * Events that came over HTTP, gathered: while one transaction commits, the next requests wait, and share the one after it. The use
 * case is that of the bus. Nothing here outlives the process: a request that got no answer is sent again by whoever wants one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Admission } from '#identity/admit.js';
import { transact } from '#store/database.js';
import type { Read } from '#store/readings.js';
import { isTransient } from '#store/transient.js';
import type { Answer } from '../answers.js';
import type { BrokerParts } from '../broker-parts.js';
import { onTaskBatch, type TaskEffects } from '../on-task-batch.js';
import { weightOf } from '../weigh.js';
import { TransportError } from './problems.js';

/** Of one transaction; a declaration weighs more (`weigh.ts`). */
const ROOM = 100;
/** Requests that wait for their transaction. */
const WAITING_MAX = 500;
/** Refused requests whose refusal is still to be written down. More of them are answered, and counted. */
const REFUSED_MAX = 200;
const TRIES = 3;
const PAUSE_MS = 50;

interface Waiting {
  read: Read<Admission>;
  settle: (answer: Answer) => void;
  fail: (error: unknown) => void;
}

export interface EventPumpParts {
  parts: BrokerParts;
  room: () => Promise<void>;
  /** After each commit. */
  after: (effects: TaskEffects) => void;
}

export class EventPump {
  readonly #given: EventPumpParts;
  #waiting: Waiting[] = [];
  #refused: Read<Admission>[] = [];
  #running: Promise<void> | undefined;
  #state: 'closed' | 'open' | 'stopped' = 'closed';

  constructor(given: EventPumpParts) {
    this.#given = given;
  }

  /** What a dead process left has been taken up: from now on events are decided. */
  open(): void {
    if (this.#state === 'closed') this.#state = 'open';
  }

  /**
   * Resolves after the commit. Requires that the event is authentic.
   * @throws TransportError ERR_NOT_STARTED, ERR_BUSY, ERR_DATABASE_AWAY: nothing has happened, or nobody knows; asking again finds out.
   */
  async take(read: Read<Admission>): Promise<Answer> {
    if (this.#state !== 'open')
      throw new TransportError('ERR_NOT_STARTED', 'the broker decides nothing at this moment');
    if (this.#waiting.length >= WAITING_MAX)
      throw new TransportError('ERR_BUSY', 'too many requests wait for a decision');
    return await new Promise((settle, fail) => {
      this.#waiting.push({ read, settle, fail });
      this.#next();
    });
  }

  /** Writes down that a request was refused before anybody was believed; its sender does not wait for it. */
  note(refused: Read<Admission>): void {
    if (this.#state !== 'open' || this.#refused.length >= REFUSED_MAX)
      return this.#given.parts.measures.refusalUnrecorded();
    this.#refused.push(refused);
    this.#next();
  }

  /** Finishes the transaction that runs. */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    const error = new TransportError('ERR_NOT_STARTED', 'the broker is stopping');
    for (const { fail } of this.#waiting.splice(0)) fail(error);
    this.#refused = [];
    await this.#running;
  }

  #next(): void {
    if (this.#running !== undefined || this.#waiting.length + this.#refused.length === 0) return;
    this.#running = this.#flush().finally(() => {
      this.#running = undefined;
      this.#next();
    });
  }

  /** One batch. Never rejects. */
  async #flush(): Promise<void> {
    await this.#given.room();
    const batch = this.#waiting.splice(0, roomy(this.#waiting));
    const noted = this.#refused.splice(0, ROOM);
    if (batch.length + noted.length === 0) return;
    await this.#decide(batch, noted);
  }

  /** Where several fail together, each is tried by itself: one may be what fails. */
  async #decide(batch: readonly Waiting[], noted: readonly Read<Admission>[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.#commit(batch, noted);
      } catch (error) {
        const away = isTransient(error);
        if (!away && batch.length > 0 && batch.length + noted.length > 1) {
          for (const each of batch) await this.#decide([each], []);
          return noted.length === 0 ? undefined : await this.#decide([], noted);
        }
        if (tries === TRIES) return this.#give(batch, error, away);
        await sleep(PAUSE_MS * tries);
      }
    }
  }

  #give(batch: readonly Waiting[], error: unknown, away: boolean): void {
    this.#given.parts.log.error({ err: error }, 'events that came over HTTP could not be handled');
    const told = away ? new TransportError('ERR_DATABASE_AWAY', 'the database does not take it now') : error;
    for (const { fail } of batch) fail(told);
  }

  async #commit(batch: readonly Waiting[], noted: readonly Read<Admission>[]): Promise<void> {
    const { parts, after } = this.#given;
    const reads = [...batch.map(({ read }) => read), ...noted];
    const effects = await transact(parts.db, (tx) => onTaskBatch(tx, reads, parts, 'reply'));
    after(effects);
    for (const [index, { settle, fail }] of batch.entries()) {
      const answer = effects.answers[index];
      if (answer === undefined) fail(new Error('an event has no answer'));
      else settle(answer);
    }
  }
}

function roomy(waiting: readonly Waiting[]): number {
  let room = ROOM;
  let count = 0;
  for (const { read } of waiting) {
    room -= weightOf(read.record);
    if (room < 0 && count > 0) break;
    count += 1;
  }
  return count;
}
