/**
 * Where requests wait for the outcome of their calls, or renewals. What this broker settles is told here, after the commit; what another one
 * settles is seen in the rows, which are looked at now and then for all who wait, in one statement.
 */
import { transact, type Database } from '#store/database.js';
import { callOutcomes, keyOfCall, type CallKey, type CallOutcome } from './call-rows.js';
import { keyOfRenewal, renewalOutcomes, type RenewalKey, type RenewalOutcome } from './renewal-rows.js';

const LOOK_EVERY_MS = 200;

type Tell<O> = (outcome: O | null) => void;
interface Waiting<K, O> {
  key: K;
  seats: Set<Tell<O>>;
}

/** One who waits. MUST leave, whatever happens. */
export interface Seat<O = CallOutcome> {
  /** @returns null if there is none within this time. Never rejects. */
  outcome(withinMs: number): Promise<O | null>;
  leave(): void;
}

export class AnswerBoard<K = CallKey, O = CallOutcome> {
  readonly #waiting = new Map<string, Waiting<K, O>>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;

  constructor(
    /** @returns the outcomes that there are by now, in the order of the keys. */
    private readonly look: (keys: readonly K[]) => Promise<(O | null)[]>,
    private readonly onTrouble: (error: unknown) => void,
    private readonly nameOf: (key: K) => string,
  ) {}

  /** Take it before the call is made: its outcome may come at once. */
  seat(key: K): Seat<O> {
    const name = this.nameOf(key);
    const waiting = this.#waiting.get(name) ?? { key, seats: new Set() };
    this.#waiting.set(name, waiting);
    let tell: Tell<O> = () => undefined;
    const told = new Promise<O | null>((resolve) => (tell = resolve));
    waiting.seats.add(tell);
    let timer: NodeJS.Timeout | undefined;
    return {
      outcome: (withinMs) => {
        timer ??= setTimeout(() => tell(null), withinMs);
        this.#lookLater();
        return told;
      },
      leave: () => {
        clearTimeout(timer);
        waiting.seats.delete(tell);
        if (waiting.seats.size === 0) this.#waiting.delete(name);
      },
    };
  }

  /** Requires that the outcome is committed. */
  tell(key: K, outcome: O): void {
    for (const tell of this.#waiting.get(this.nameOf(key))?.seats ?? []) tell(outcome);
  }

  /** Nobody is waited for any more: the process ends. */
  async close(): Promise<void> {
    for (const { seats } of this.#waiting.values()) for (const tell of seats) tell(null);
    clearTimeout(this.#timer);
    await this.#looking;
  }

  #lookLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#looking = this.#look().finally(() => {
        this.#looking = undefined;
        this.#timer = undefined;
        if (this.#waiting.size > 0) this.#lookLater();
      });
    }, LOOK_EVERY_MS).unref();
  }

  async #look(): Promise<void> {
    const keys = [...this.#waiting.values()].map(({ key }) => key);
    if (keys.length === 0) return;
    try {
      const found = await this.look(keys);
      for (const [index, key] of keys.entries()) {
        const outcome = found[index];
        if (outcome !== null && outcome !== undefined) this.tell(key, outcome);
      }
    } catch (error) {
      this.onTrouble(error);
    }
  }
}

export const boardOver = (db: Database, warn: (fields: object, message: string) => void): AnswerBoard =>
  new AnswerBoard(
    (keys) => transact(db, (tx) => callOutcomes(tx, keys)),
    (err) => warn({ err }, 'the outcomes of calls cannot be looked at'),
    keyOfCall,
  );

export type RenewalBoard = AnswerBoard<RenewalKey, RenewalOutcome>;

export const renewalBoardOver = (
  db: Database,
  warn: (fields: object, message: string) => void,
): RenewalBoard =>
  new AnswerBoard(
    (keys) => transact(db, (tx) => renewalOutcomes(tx, keys)),
    (err) => warn({ err }, 'the outcomes of renewals cannot be looked at'),
    keyOfRenewal,
  );
