/**
 * The act between the intention of a renewal and its outcome: the target is asked to let the credential live longer. Whoever consumes
 * does not wait for it (rule 10). Asked twice it does no more than once, so what a dead process left is simply done again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RenewAnswer } from '#providers/provider.js';
import { faultPoint } from '#telemetry/fault-point.js';
import type { BrokerParts } from './broker-parts.js';
import type { RenewalIntent } from './renewal-rows.js';
import { settleRenewal } from './settle-renewal.js';

/** For each target: its own queue, so that a slow target holds up nobody else's. */
const AT_ONCE = 4;
const SETTLE_TRIES = 5;

export class LeaseRenewer {
  readonly #waiting = new Map<string, RenewalIntent[]>();
  readonly #running = new Map<string, number>();
  readonly #held = new Set<string>();
  #idle: (() => void)[] = [];
  #stopped = false;

  constructor(private readonly parts: BrokerParts) {}

  /** Requires that their rows are committed. */
  take(intents: readonly RenewalIntent[]): void {
    if (this.#stopped) return;
    for (const intent of intents) {
      const { leaseId, target } = intent.intended;
      if (this.#held.has(leaseId)) continue;
      this.#held.add(leaseId);
      this.#waiting.set(target, [...(this.#waiting.get(target) ?? []), intent]);
      this.#next(target);
    }
  }

  /** Whether it is on its way to its outcome. */
  holds(leaseId: string): boolean {
    return this.#held.has(leaseId);
  }

  /** Begins nothing more, and resolves when nothing is under way. Who comes next takes up what was left waiting. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#waiting.clear();
    if (!this.#isBusy()) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #next(target: string): void {
    const running = this.#running.get(target) ?? 0;
    if (running >= AT_ONCE) return;
    const intent = this.#waiting.get(target)?.shift();
    if (intent === undefined) return;
    this.#running.set(target, running + 1);
    void this.#renew(intent).finally(() => {
      this.#held.delete(intent.intended.leaseId);
      this.#running.set(target, (this.#running.get(target) ?? 1) - 1);
      this.#next(target);
      if (!this.#isBusy()) for (const resolve of this.#idle.splice(0)) resolve();
    });
  }

  #isBusy(): boolean {
    return [...this.#running.values()].some((running) => running > 0);
  }

  /** Never rejects. */
  async #renew(intent: RenewalIntent): Promise<void> {
    faultPoint('renew.before');
    const attempt = await this.#ask(intent);
    faultPoint('renew.after');
    for (let tries = 1; ; tries += 1) {
      try {
        return await settleRenewal(intent, attempt, this.parts);
      } catch (error) {
        // It stays intended, and is taken up again when it is late.
        if (tries === SETTLE_TRIES)
          return this.parts.log.error(
            { err: error, leaseId: intent.intended.leaseId },
            'the outcome of a renewal could not be stored',
          );
        await sleep(200 * tries);
      }
    }
  }

  async #ask({ intended, presentNotAfter, notAfter }: RenewalIntent): Promise<RenewAnswer> {
    const { leaseId, provider, target, principal, rights, createBy, hardEnd, token } = intended;
    const plan = { leaseId, provider, target, principal, rights, createBy, hardEnd, token };
    const at = this.parts.providers.get(target);
    if (at === undefined) return { answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' };
    return await at.renew({ ...plan, notAfter: presentNotAfter }, notAfter);
  }
}
