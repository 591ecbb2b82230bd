/**
 * Tells people outside of the bus. What is to be told is a row from the commit of its event on (`UnitOfWork.flush`); here rows are
 * sent, at least once, apart from everything that decides.
 */
import type { Pace } from '#events/backoff.js';
import { isNotified } from '#events/notified-types.js';
import type { OutboundEvent } from '#events/outbound.js';
import { Outlet, type Sent } from '#service/outlet.js';
import { postOnce, STOPPED, type Posted } from '#service/post-once.js';
import type { Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { Log } from '#telemetry/log.js';
import type { NotificationMeasures } from './measures.js';
import {
  claimNotifications,
  dropNotifications,
  GIVEN_UP_AFTER_MS,
  giveUpOld,
  MAX_BACKLOG,
  postponeNotifications,
  trimBacklog,
  type NotificationRow,
} from './notification-rows.js';
import type { Receiver } from './receivers.js';
import { requestOf } from './request.js';

export interface Notifying {
  receivers: readonly Receiver[];
  /** The broker's address, as callers reach it. */
  broker: string;
  measures: NotificationMeasures;
  /** Other than usual. */
  pace?: Partial<NotifyPace>;
}

export interface NotifyPace extends Pace {
  answerWithinMs: number;
  /** Longer than an answer may take: then what a dead process was sending is anybody's. */
  leaseMs: number;
  lookEveryMs: number;
}
const USUALLY: NotifyPace = {
  firstMs: 1_000,
  longestMs: 900_000,
  answerWithinMs: 10_000,
  leaseMs: 20_000,
  lookEveryMs: 2_000,
};
/** To one receiver. */
const AT_ONCE = 4;
const BOUND_EVERY_MS = 5_000;
/** What is wrong with this notification, and not with all. */
const REFUSALS: ReadonlySet<number> = new Set([400, 413, 422]);

export class Notifier {
  readonly #outlets: Outlet<NotificationRow>[];
  readonly #pace: NotifyPace;
  #loop: { stop: () => Promise<void> } | undefined;

  constructor(private readonly parts: Notifying & { db: Database; log: Log }) {
    this.#pace = { ...USUALLY, ...parts.pace };
    this.#outlets = parts.receivers.map((receiver) => this.#outlet(receiver));
  }

  start(): void {
    if (this.#outlets.length === 0) return;
    for (const outlet of this.#outlets) outlet.start();
    this.#loop = repeat(
      BOUND_EVERY_MS,
      () => this.bound(),
      (err) => this.parts.log.error({ err }, 'notifications cannot be bounded'),
    );
  }

  /** These are committed: who is to be told need not wait for the next look. */
  wake(told: readonly OutboundEvent[]): void {
    if (told.some(isNotified)) for (const outlet of this.#outlets) outlet.wake();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#loop?.stop(), ...this.#outlets.map((outlet) => outlet.stop())]);
  }

  /** Gives up what is too old, and what is too much. */
  async bound(): Promise<void> {
    const { db, receivers, measures, log } = this.parts;
    for (const { id: receiver } of receivers) {
      const old = await giveUpOld(db, receiver, GIVEN_UP_AFTER_MS);
      const { waiting, dropped } = await trimBacklog(db, receiver);
      measures.waiting.set({ receiver }, waiting);
      if (old > 0) {
        measures.settled.inc({ receiver, how: 'given_up' }, old);
        log.warn(
          { receiver, notifications: old },
          'a receiver was away too long: notifications are given up',
        );
      }
      if (dropped > 0) {
        measures.settled.inc({ receiver, how: 'full' }, dropped);
        log.error(
          { receiver, notifications: dropped, max: MAX_BACKLOG },
          'a receiver is too far behind: its oldest notifications are given up',
        );
      }
    }
  }

  #outlet(receiver: Receiver): Outlet<NotificationRow> {
    const { db, log, measures } = this.parts;
    const { leaseMs, lookEveryMs, ...pace } = this.#pace;
    return new Outlet({
      claim: (limit) => claimNotifications(db, receiver.id, limit, leaseMs),
      send: (row, signal) => this.#send(receiver, row, signal),
      settle: async (taken, again) => {
        await dropNotifications(
          db,
          taken.map(({ id }) => id),
        );
        measures.settled.inc({ receiver: receiver.id, how: 'taken' }, taken.length);
        await postponeNotifications(
          db,
          again.map(({ row, waitMs }) => ({ id: row.id, waitMs })),
        );
      },
      failed: (err) => log.error({ err, receiver: receiver.id }, 'notifications cannot be read'),
      ...{ pace, atOnce: AT_ONCE, lookEveryMs },
    });
  }

  async #send(receiver: Receiver, { notice, attempts }: NotificationRow, signal: AbortSignal): Promise<Sent> {
    const posted = await postOnce({
      ...requestOf(receiver, notice, this.parts.broker, Date.now()),
      ...{ withinMs: this.#pace.answerWithinMs, signal },
    });
    const sent = meaningOf(posted);
    if (sent.is === 'taken' || (posted.is === 'unanswered' && posted.code === STOPPED)) return sent;
    this.parts.measures.failed.inc({ receiver: receiver.id });
    // Neither its address, which lets whoever has it write to a chat, nor anything that it said.
    const what = posted.is === 'answered' ? { status: posted.status } : { code: posted.code };
    this.parts.log.warn(
      { receiver: receiver.id, notification: notice.id, attempts: attempts + 1, ...what },
      'a receiver does not take a notification',
    );
    return sent;
  }
}

function meaningOf(posted: Posted): Sent {
  if (posted.is === 'unanswered') return { is: 'away' };
  const { status, retryAfterMs } = posted;
  if (status >= 200 && status < 300) return { is: 'taken' };
  if (REFUSALS.has(status)) return { is: 'refused' };
  return { is: 'away', ...(retryAfterMs === null ? {} : { afterMs: retryAfterMs }) };
}
