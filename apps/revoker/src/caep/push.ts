/** Pushes security events to one receiver (RFC 8935), until it takes them. */
import { Outlet, type Sent } from '#service/outlet.js';
import { postOnce, STOPPED } from '#service/post-once.js';
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import { claimEvents, dropEvents, postpone, type EventRow } from './event-rows.js';
import type { PushReceiver } from './receivers.js';

export interface PushParts {
  db: Database;
  receiver: PushReceiver;
  sign: (row: EventRow, audience: string) => string;
  log: Log;
  /** Told of each that was taken. */
  taken: () => void;
}

const AT_ONCE = 8;
const ANSWER_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
const PACE = { firstMs: 500, longestMs: 60_000 };

export function pushTo(parts: PushParts): Outlet<EventRow> {
  const { db, receiver, taken, log } = parts;
  return new Outlet({
    claim: (limit) => claimEvents(db, receiver.id, limit, Date.now()),
    send: (row, signal) => send(row, signal, parts),
    settle: async (done, again) => {
      await dropEvents(
        db,
        done.map(({ id }) => id),
      );
      for (let n = 0; n < done.length; n += 1) taken();
      const nowMs = Date.now();
      await postpone(
        db,
        again.map(({ row, waitMs }) => ({ id: row.id, dueAtMs: nowMs + waitMs })),
      );
    },
    failed: (err) => log.error({ err, receiver: receiver.id }, 'security events cannot be read'),
    ...{ pace: PACE, atOnce: AT_ONCE, lookEveryMs: LOOK_EVERY_MS },
  });
}

async function send(
  row: EventRow,
  signal: AbortSignal,
  { receiver: { id, url, audience, authorization }, sign, log }: PushParts,
): Promise<Sent> {
  const posted = await postOnce({
    ...{ url, body: sign(row, audience), withinMs: ANSWER_WITHIN_MS, signal },
    headers: {
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      ...(authorization === undefined ? {} : { authorization }),
    },
  });
  const attempts = row.attempts + 1;
  if (posted.is === 'unanswered') {
    if (posted.code !== STOPPED)
      log.warn({ receiver: id, attempts, code: posted.code }, 'a receiver of security events is away');
    return { is: 'away' };
  }
  const { status } = posted;
  if (status === 202 || status === 200) return { is: 'taken' };
  log.warn({ receiver: id, status, attempts }, 'a receiver does not take a security event');
  return status === 400 ? { is: 'refused' } : { is: 'away' };
}
