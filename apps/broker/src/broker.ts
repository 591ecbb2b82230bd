/** The broker at work: what it does with each batch, and what it does in between. */
import type { BusRecord } from '#bus/bus.js';
import { IdlePositions } from '#store/idle-positions.js';
import type { BrokerParts } from './broker-parts.js';
import { chunksOf } from './chunks.js';
import { endOverdue } from './end-overdue.js';
import { LeaseIssuer } from './issue-lease.js';
import { onCredentialBatch } from './on-credential-batch.js';
import { onTaskBatch } from './on-task-batch.js';
import { recoverLeases } from './recover-leases.js';
import { GROUP } from './records.js';
import { repeat } from './repeat.js';

const RECOVER_EVERY_MS = 1_000;
const OVERDUE_EVERY_MS = 1_000;

export class Broker {
  readonly #issuer: LeaseIssuer;
  readonly #idle: IdlePositions;
  #loops: { stop: () => Promise<void> }[] = [];

  constructor(private readonly parts: BrokerParts) {
    this.#issuer = new LeaseIssuer(parts);
    this.#idle = new IdlePositions(parts.db, GROUP, (fields, message) => parts.log.warn(fields, message));
  }

  /** Takes up what a dead process left, and keeps looking for it. */
  start(): void {
    const { parts } = this;
    this.#loops = [
      repeat(
        RECOVER_EVERY_MS,
        () => recoverLeases(parts, this.#issuer),
        (err) => parts.log.error({ err }, 'recovering leases failed'),
      ),
      repeat(
        OVERDUE_EVERY_MS,
        () => endOverdue(parts),
        (err) => parts.log.error({ err }, 'ending overdue tasks failed'),
      ),
      repeat(
        parts.trust.refreshEveryMs,
        async () => {
          for (const err of await parts.trust.refresh(Date.now()))
            parts.log.error({ err }, 'a trust bundle could not be read again');
        },
        (err) => parts.log.error({ err }, 'refreshing trust failed'),
      ),
    ];
  }

  /** Resolves once what the records said is stored; credentials are made after it. */
  async onTaskEvents(records: readonly BusRecord[]): Promise<void> {
    for (const chunk of chunksOf(records)) {
      const { intents, published } = await onTaskBatch(chunk, this.parts);
      void this.#issuer.take(intents, published);
    }
  }

  async onCredentialEvents(records: readonly BusRecord[]): Promise<void> {
    await onCredentialBatch(records, this.parts, this.#idle);
  }

  /** Lets what has begun come to its outcome. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    await this.#issuer.stop();
    await this.#idle.store();
  }
}
