/**
 * The act between intent and outcome: wait until the bus has the intent (rule 2), create once (rule 1), and let one
 * transaction decide (rule 3). Nothing here is undone; what goes wrong is abandoned, and the revoker cuts it (rule 4).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { FairQueue } from '#events/fair-queue.js';
import { faultPoint } from '#telemetry/fault-point.js';
import type { BrokerParts } from './broker-parts.js';
import { settleLeases, type Attempt, type Settling } from './settle-lease.js';
import type { Intent } from './unit-of-work.js';

/** Creates at once, for each target: its own queue, so that a slow target holds up nobody else's, in which tenants and tasks take turns. */
const CREATES_AT_ONCE = 16;
/** Outcomes decided in one transaction, and transactions at once. */
const SETTLED_AT_ONCE = 50;
const PUMPS = 1;
const SETTLE_TRIES = 5;
/** Leases that wait for their create or their outcome before no more calls are decided. */
const IN_HAND_MAX = 200;
const STUCK_MS = 1_000;
const ROOM_PAUSE_MS = 5;

export class LeaseIssuer {
  readonly #parts: BrokerParts;
  readonly #waiting = new Map<string, FairQueue<Intent>>();
  readonly #running = new Map<string, number>();
  readonly #settling: Settling[] = [];
  readonly #held = new Set<string>();
  #settledMs = -Infinity;
  #pumps = 0;
  #answeredMs = -Infinity;
  #idle: (() => void)[] = [];
  #stopped = false;

  constructor(parts: BrokerParts) {
    this.#parts = parts;
  }

  /** Takes leases whose intent is committed; `published` resolves when the bus has acknowledged them. Never rejects. */
  async take(intents: readonly Intent[], published: Promise<void>): Promise<void> {
    if (intents.length === 0) return;
    for (const { intended } of intents) this.#held.add(intended.leaseId);
    await published;
    if (this.#stopped) return;
    for (const intent of intents) {
      const { target, tenant = '', taskId } = intent.intended;
      const queue = this.#waiting.get(target) ?? new FairQueue<Intent>();
      queue.push(tenant, taskId, intent);
      this.#waiting.set(target, queue);
      this.#next(target);
    }
  }

  /**
   * Resolves when there is room for more leases: what waits here for long is too late when its turn comes. Nobody waits for a
   * target that does not answer, or it would hold up all others.
   */
  async room(): Promise<void> {
    while (!this.#stopped && this.#inHand() >= IN_HAND_MAX && performance.now() - this.#answeredMs < STUCK_MS)
      await sleep(ROOM_PAUSE_MS);
  }

  #inHand(): number {
    return [...this.#waiting.values()].reduce((sum, { length }) => sum + length, this.#settling.length);
  }

  /** Whether this lease is on its way to its outcome. */
  holds(leaseId: string): boolean {
    return this.#held.has(leaseId);
  }

  /** For how long no lease has been on its way: 0 while any is. */
  idleForMs(): number {
    return this.#held.size > 0 ? 0 : performance.now() - this.#settledMs;
  }

  /** Begins nothing more, and resolves when nothing is being created or decided. Who comes next abandons what was left waiting. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    if (this.#isIdle()) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #next(target: string): void {
    const running = this.#running.get(target) ?? 0;
    if (running >= CREATES_AT_ONCE) return;
    const intent = this.#waiting.get(target)?.shift();
    if (intent === undefined) return;
    this.#running.set(target, running + 1);
    void this.#issue(intent).finally(() => {
      this.#running.set(target, (this.#running.get(target) ?? 1) - 1);
      this.#next(target);
      this.#tellIdle();
    });
  }

  async #issue(intent: Intent): Promise<void> {
    faultPoint('create.before');
    const attempt = await this.#create(intent);
    this.#parts.breakers.note(intent.intended.target, attempt.answer, Date.now());
    this.#answeredMs = performance.now();
    faultPoint('create.after');
    this.#settling.push({ intent, attempt });
    if (this.#pumps < PUMPS) void this.#pump();
  }

  /** While one transaction commits, the next outcomes gather. A task that is locked for long holds up one pump, not all. */
  async #pump(): Promise<void> {
    this.#pumps += 1;
    while (this.#settling.length > 0) {
      const batch = this.#settling.splice(0, SETTLED_AT_ONCE);
      await this.#settle(batch);
      for (const { intent } of batch) this.#held.delete(intent.intended.leaseId);
      this.#settledMs = performance.now();
    }
    this.#pumps -= 1;
    this.#tellIdle();
  }

  async #settle(batch: readonly Settling[]): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      try {
        const again = await settleLeases(batch, this.#parts);
        return void this.take(again.intents, again.published);
      } catch (error) {
        // One of them may be what fails.
        if (batch.length > 1) {
          for (const each of batch) await this.#settle([each]);
          return;
        }
        // The lease stays intended; recovery abandons it when it is late.
        if (tries === SETTLE_TRIES)
          return this.#parts.log.error(
            { err: error, leaseId: batch[0]?.intent.intended.leaseId },
            'the outcome of a lease could not be stored',
          );
        await sleep(200 * tries);
      }
    }
  }

  #isIdle(): boolean {
    return (
      this.#pumps === 0 && this.#settling.length === 0 && [...this.#running.values()].every((n) => n === 0)
    );
  }

  #tellIdle(): void {
    if (!this.#isIdle()) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #create({ intended }: Intent): Promise<Attempt> {
    const provider = this.#parts.providers.get(intended.target);
    if (provider === undefined || Date.now() >= Date.parse(intended.createBy)) return { answer: 'unsent' };
    const { leaseId, target, principal, rights, createBy, notAfter, hardEnd, token } = intended;
    return await provider.create({
      leaseId,
      provider: intended.provider,
      target,
      principal,
      rights,
      createBy,
      notAfter,
      hardEnd,
      token,
    });
  }
}
