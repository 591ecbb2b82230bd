/** Revocations for receivers outside the bus: hands them over, pushes them, keeps them for those who poll, and bounds what waits. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Trust } from '#identity/trust.js';
import type { Outlet } from '#service/outlet.js';
import type { Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { Log } from '#telemetry/log.js';
import { signSessionRevoked } from '#tokens/security-event.js';
import type { TokenKey } from '#tokens/signed-token.js';
import { dropOver, MAX_BACKLOG, trimBacklog, type EventRow } from './event-rows.js';
import { handOver } from './hand-over.js';
import type { EventMeasures } from './measures.js';
import { Poll } from './poll.js';
import { pushTo } from './push.js';
import { isPolled, isPushed, type Receiver } from './receivers.js';

export interface SecurityEventParts {
  db: Database;
  trust: Trust;
  key: TokenKey;
  /** The revoker's public address: the issuer of the streams. */
  issuer: string;
  /** As tokens name it. */
  tokenIssuer: string;
  receivers: readonly Receiver[];
  measures: EventMeasures;
  log: Log;
}

const LOOK_EVERY_MS = 200;
const BOUND_EVERY_MS = 5_000;

export class SecurityEvents {
  readonly poll: Poll;
  readonly #pushes: Outlet<EventRow>[];
  readonly #news = new Set<() => void>();
  #loops: { stop: () => Promise<void> }[] = [];
  #handing: Promise<void> | undefined;
  #stopped = false;

  constructor(private readonly parts: SecurityEventParts) {
    const { db, trust, receivers, log, measures } = parts;
    const sign = (row: EventRow, audience: string) => this.#sign(row, audience);
    this.#pushes = receivers.filter(isPushed).map((receiver) =>
      pushTo({
        ...{ db, receiver, sign, log },
        taken: () => measures.settled.inc({ receiver: receiver.id, how: 'taken' }),
      }),
    );
    this.poll = new Poll({
      ...{ db, trust, sign, log, receivers: receivers.filter(isPolled) },
      news: (withinMs) => this.#untilNews(withinMs),
      settled: (receiver, how) => measures.settled.inc({ receiver, how }),
    });
  }

  start(): void {
    if (this.parts.receivers.length === 0) return;
    const failed = (err: Error) =>
      this.parts.log.error({ err }, 'security events cannot be handed over or bounded');
    for (const push of this.#pushes) push.start();
    this.#loops = [
      repeat(LOOK_EVERY_MS, () => this.#handOver(), failed),
      repeat(BOUND_EVERY_MS, () => this.#bound(), failed),
    ];
  }

  /** Something was revoked: it need not wait for the next look. */
  wake(): void {
    if (this.#loops.length > 0) void this.#handOver().catch(() => undefined);
  }

  /** OpenID SSF 1.0 §7.1. */
  configuration(): object {
    const { issuer } = this.parts;
    return {
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      delivery_methods_supported: ['urn:ietf:rfc:8935', 'urn:ietf:rfc:8936'],
      critical_subject_members: ['session'],
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const tell of this.#news) tell();
    await Promise.all([...this.#loops, ...this.#pushes].map((loop) => loop.stop()));
    await this.#handing?.catch(() => undefined);
  }

  #handOver(): Promise<void> {
    this.#handing ??= this.#hand().finally(() => (this.#handing = undefined));
    return this.#handing;
  }

  async #hand(): Promise<void> {
    const { db, receivers, tokenIssuer } = this.parts;
    const ids = receivers.map(({ id }) => id);
    for (let more = true; more && !this.#stopped;) {
      const handed = await handOver(db, ids, tokenIssuer, Date.now());
      more = handed.more;
      if (handed.added === 0) continue;
      for (const push of this.#pushes) push.wake();
      for (const tell of this.#news) tell();
    }
  }

  /** Another process may have handed it over, so it looks now and then all the same. */
  async #untilNews(withinMs: number): Promise<void> {
    if (this.#stopped) return;
    const told = new AbortController();
    const tell = () => told.abort();
    this.#news.add(tell);
    await sleep(Math.min(withinMs, 1_000), undefined, { signal: told.signal }).catch(() => undefined);
    this.#news.delete(tell);
  }

  async #bound(): Promise<void> {
    const { db, receivers, measures, log } = this.parts;
    for (const [receiver, n] of await dropOver(db, Date.now())) this.#dropped(receiver, 'over', n);
    for (const { id: receiver } of receivers) {
      const { waiting, dropped } = await trimBacklog(db, receiver);
      measures.waiting.set({ receiver }, waiting);
      if (dropped === 0) continue;
      this.#dropped(receiver, 'full', dropped);
      log.error(
        { receiver, dropped, max: MAX_BACKLOG },
        'a receiver is too far behind: its oldest security events are given up',
      );
    }
  }

  /** Of receivers that are configured no more, nothing is measured. */
  #dropped(receiver: string, how: 'over' | 'full', n: number): void {
    if (this.parts.receivers.some(({ id }) => id === receiver))
      this.parts.measures.settled.inc({ receiver, how }, n);
  }

  #sign({ event, atMs }: EventRow, aud: string): string {
    const { issuer: iss, key } = this.parts;
    return signSessionRevoked({ ...event, iss, aud, iat: Math.floor(atMs / 1_000) }, key);
  }
}
