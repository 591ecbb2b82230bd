/**
 * Which targets are spared creates for now: one that did not answer several in a row is asked by one call at a time, and all others are
 * told at once. For creates only: what is to be cut is cut, however often its target was silent. Times are epoch milliseconds.
 */
import type { Refusal } from '#events/refusal.js';
import type { Log } from '#telemetry/log.js';
import type { Measures } from './measures.js';

/** A call is tried three times, so this is two calls. */
const OPENS_AFTER = 6;
const PROBE_EVERY_MS = 5_000;

const UNAVAILABLE: Refusal = {
  code: 'ERR_TARGET_UNAVAILABLE',
  reason: 'the target has not answered lately: nothing is created there for now',
};

interface Silence {
  failures: number;
  /** Open until then; the next call after it is the probe. Null: closed. */
  openUntilMs: number | null;
}

export interface BreakerTold {
  opened: (target: string, open: number) => void;
  closed: (target: string, open: number) => void;
}

/** Opened and closed ones are logged and shown. */
export const breakersTold = (
  measures: Pick<Measures, 'breakersOpen'>,
  log: Pick<Log, 'warn' | 'info'>,
): BreakerTold => ({
  opened: (target, open) => {
    measures.breakersOpen(open);
    log.warn({ target }, 'a target does not answer: nothing is created there for now');
  },
  closed: (target, open) => {
    measures.breakersOpen(open);
    log.info({ target }, 'a target answers again');
  },
});

export class CreateBreakers {
  readonly #silent = new Map<string, Silence>();

  constructor(private readonly told: BreakerTold) {}

  /** Why nothing is to be intended at a target; null where it may be, and then this call is the probe of one that is open. */
  refusal(target: string, nowMs: number): Refusal | null {
    const silence = this.#silent.get(target);
    if (silence === undefined || silence.openUntilMs === null) return null;
    if (nowMs < silence.openUntilMs) return UNAVAILABLE;
    silence.openUntilMs = nowMs + PROBE_EVERY_MS;
    return null;
  }

  /** What a create came to. That the target said no is an answer; what was not sent says nothing of it. */
  note(target: string, answer: 'created' | 'refused' | 'none' | 'unsent', nowMs: number): void {
    if (answer === 'unsent') return;
    const silence = this.#silent.get(target) ?? { failures: 0, openUntilMs: null };
    const wasOpen = silence.openUntilMs !== null;
    if (answer !== 'none') {
      this.#silent.delete(target);
      if (wasOpen) this.told.closed(target, this.#open());
      return;
    }
    this.#silent.set(target, silence);
    silence.failures += 1;
    if (silence.failures < OPENS_AFTER) return;
    silence.openUntilMs = nowMs + PROBE_EVERY_MS;
    if (!wasOpen) this.told.opened(target, this.#open());
  }

  #open(): number {
    return [...this.#silent.values()].filter(({ openUntilMs }) => openUntilMs !== null).length;
  }
}
