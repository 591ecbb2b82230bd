/** What `mayfly recover` ordered of the revoker, and the sweeps that others wait for after a restore of theirs. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bus } from '#bus/bus.js';
import type { EventOf } from '#events/outbound.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import type { PeerKeys } from '#identity/records.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import {
  alone,
  endRecovery,
  fitPositions,
  forgetPositions,
  readStoreLife,
  type Recovery,
  type SweepOrder,
} from '#store/store-meta.js';
import type { Log } from '#telemetry/log.js';
import { credentialRecord, GROUP, SOURCE } from './publish.js';
import { takeOverRevocations } from './recover-revocations.js';
import { cutOf, sweepTarget, type SweepParts } from './sweep.js';

const LOOK_EVERY_MS = 1_000;
const TRY_AGAIN_MS = 5_000;

/** Before anything is sent or read. The task and credential topics are then read again, from the positions restored. */
export async function beginRecovery(db: Database, bus: Bus, peers: PeerKeys, log: Log): Promise<void> {
  if ((await readStoreLife(db.pool)).recovering === null) return;
  await alone(db, async () => {
    const { epoch, recovering } = await readStoreLife(db.pool);
    if (recovering === null) return;
    log.warn({ epoch, ...recovering }, 'recovering');
    if (recovering.store) await takeOverRevocations(db, bus, peers);
    const ends = await bus.ends([TASK_EVENTS, CREDENTIAL_EVENTS]);
    await transact(db, async (tx) => {
      await forgetPositions(tx, GROUP, recovering.topics);
      if (recovering.store) await fitPositions(tx, GROUP, ends);
      if (recovering.store) await tell(tx, { service: 'revoker', epoch }, false);
    });
  });
}

/** Looks for what is ordered, for as long as the revoker reads. */
export class Sweeper {
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(private readonly parts: SweepParts) {}

  start(): void {
    this.#running = this.#run(this.#stopping.signal);
  }

  /** A sweep under way is let go, for the next life or another process to begin anew. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let napMs = LOOK_EVERY_MS;
      try {
        await this.#turn(signal);
      } catch (error) {
        if (signal.aborted) return;
        this.parts.log.error({ err: error }, 'a sweep failed, trying again');
        napMs = TRY_AGAIN_MS;
      }
      await sleep(napMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const { db, send } = this.parts;
    if ((await readStoreLife(db.pool)).recovering === null) return;
    const sweep = async () => {
      const { epoch, recovering } = await readStoreLife(db.pool);
      if (recovering === null) return;
      await this.#sweep(recovering, signal);
      const own = recovering.store ? [{ service: 'revoker' as const, epoch }] : [];
      send(
        await transact(db, async (tx) => {
          const told = [];
          for (const sweep of [...recovering.sweeps, ...own]) told.push(...(await tell(tx, sweep, true)));
          await endRecovery(tx, recovering);
          return told;
        }),
      );
      this.parts.log.warn({ epoch, ...recovering }, 'every target was swept');
    };
    await alone(db, sweep, signal);
  }

  /** Targets wait for each other's answers only where all must have answered anyway. */
  async #sweep(recovering: Recovery, signal: AbortSignal): Promise<void> {
    const targets = [...this.parts.providers];
    // Others wait for it, and nobody issues meanwhile: there is nothing to be patient with.
    const rules = { deep: recovering.store, graceMs: 0 };
    const sweeps = targets.map(async ([target, provider]) =>
      cutOf(this.parts.db, await sweepTarget(target, provider, this.parts, rules, signal), signal),
    );
    await Promise.all(sweeps);
  }
}

async function tell(tx: Tx, { service, epoch }: SweepOrder, swept: boolean): Promise<QueuedRecord[]> {
  const nowMs = Date.now();
  const event: EventOf<'store.restored'> = {
    type: 'store.restored',
    data: {
      ...{ taskId: 'store', generation: 0, actor: SOURCE, at: new Date(nowMs).toISOString() },
      ...{ service, epoch, swept },
    },
  };
  return await enqueue(tx, [credentialRecord(event, nowMs)]);
}
