/**
 * Looks at the targets as long as the revoker reads: sweeps each at the start, when it is in another life than before, and each minute;
 * surveys each for standing access. Every target has a loop of its own, so that a dead one keeps nobody waiting. Which process does it is decided by
 * the target's row.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Catalogue } from '#events/catalogue.js';
import type { AllowedAccess } from '#events/standing-access.js';
import { iso } from '#events/revocation.js';
import type { CredentialProvider } from '#providers/provider.js';
import { tellsIncarnation, tellsStandingAccess } from '#providers/target-survey.js';
import { transact } from '#store/database.js';
import { enqueue } from '#store/outbox.js';
import { credentialRecord, SOURCE } from '../publish.js';
import { sweepTarget, type SweepParts } from '../sweep.js';
import { surveyTarget } from './survey-target.js';
import {
  forgetTargets,
  hurry,
  knowTargets,
  noteIncarnation,
  sweptTarget,
  takeSurvey,
  takeSweep,
} from './target-rows.js';

export interface TargetWatchSettings {
  sweepEveryMs: number;
  /** How young an orphan may be and still be let alone. */
  orphanGraceMs: number;
  surveyEveryMs: number;
  /** How often to see whose turn it is, and in which life a target is. */
  lookEveryMs?: number;
  lifeEveryMs?: number;
}

export interface TargetWatchMeans {
  parts: SweepParts;
  settings: TargetWatchSettings;
  /** As it is gone by now. */
  catalogue: () => Catalogue;
  /** What operators let be; another list once it has changed. */
  allowed: () => readonly AllowedAccess[];
}

const LOOK_EVERY_MS = 1_000;
const LIFE_EVERY_MS = 5_000;
const AFTER_FAILURE_MS = 5_000;
const STOPS_WITHIN_MS = 1_000;
/** Stands for the task that there is none of. */
const NO_TASK = 'target';

export class TargetWatch {
  readonly #stopping = new AbortController();
  readonly #rules: { catalogue: Catalogue; allowed: readonly AllowedAccess[] };
  /** By target: when its life is to be looked at again. */
  readonly #lifeAtMs = new Map<string, number>();
  /** Targets that could not be looked at last time. */
  readonly #away = new Set<string>();
  #running: Promise<unknown> = Promise.resolve();

  constructor(private readonly means: TargetWatchMeans) {
    this.#rules = { catalogue: means.catalogue(), allowed: means.allowed() };
  }

  start(): void {
    const { providers } = this.means.parts;
    const loops = [...providers].map(([target, provider]) =>
      this.#loop(target, () => this.#turn(target, provider)),
    );
    const { db, log } = this.means.parts;
    const forgetting = forgetTargets(db, [...providers.keys()]).catch((err: unknown) =>
      log.error({ err }, 'targets that are gone could not be forgotten'),
    );
    this.#running = Promise.all([...loops, forgetting, this.#loop(null, () => this.#followRules())]);
  }

  /** What is under way is begun anew by the next life: a target that does not answer is not waited for. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.race([this.#running, sleep(STOPS_WITHIN_MS, undefined, { ref: false })]);
  }

  async #loop(target: string | null, turn: () => Promise<void>): Promise<void> {
    const { signal } = this.#stopping;
    let isKnown = target === null;
    while (!signal.aborted) {
      let napMs = this.means.settings.lookEveryMs ?? LOOK_EVERY_MS;
      try {
        if (!isKnown) await knowTargets(this.means.parts.db, [target ?? ''], Date.now());
        isKnown = true;
        await turn();
        if (target !== null && this.#away.delete(target))
          this.means.parts.log.info({ target }, 'a target can be looked at again');
      } catch (error) {
        if (signal.aborted) return;
        this.#tellFailure(target, error);
        napMs = AFTER_FAILURE_MS;
      }
      await sleep(napMs, undefined, { ref: false, signal }).catch(() => undefined);
    }
  }

  #tellFailure(target: string | null, error: unknown): void {
    if (target !== null && this.#away.has(target)) return;
    if (target !== null) this.#away.add(target);
    this.means.parts.log.error({ err: error, target }, 'a target could not be looked at, trying again');
  }

  async #turn(target: string, provider: CredentialProvider): Promise<void> {
    await this.#look(target, provider);
    await this.#sweep(target, provider);
    await this.#survey(target, provider);
  }

  /** Whether it is another life of the server than the one that was seen last. */
  async #look(target: string, provider: CredentialProvider): Promise<void> {
    const nowMs = Date.now();
    if (!tellsIncarnation(provider) || nowMs < (this.#lifeAtMs.get(target) ?? 0)) return;
    const incarnation = await provider.incarnation();
    this.#lifeAtMs.set(target, nowMs + (this.means.settings.lifeEveryMs ?? LIFE_EVERY_MS));
    const { db, send, log } = this.means.parts;
    const { previous, queued } = await transact(db, async (tx) => {
      const before = await noteIncarnation(tx, target, incarnation, nowMs);
      if (before === null) return { previous: null, queued: [] };
      const told = { target, provider: provider.kind, incarnation, previous: before };
      const data = { taskId: NO_TASK, generation: 0, actor: SOURCE, at: iso(nowMs), ...told };
      return {
        previous: before,
        queued: await enqueue(tx, [credentialRecord({ type: 'target.restarted', data }, nowMs)]),
      };
    });
    if (previous === null) return;
    send(queued);
    log.warn({ target, incarnation, previous }, 'a target was started again: it is swept');
  }

  async #sweep(target: string, provider: CredentialProvider): Promise<void> {
    const { parts, settings } = this.means;
    // A token lies with its agent alone: nothing of it can be found anywhere, nor vanish.
    if (!provider.capabilities.list) return;
    const nowMs = Date.now();
    const taken = await takeSweep(parts.db, target, nowMs, nowMs + settings.sweepEveryMs);
    if (taken === null) return;
    const rules = { deep: taken.deep, graceMs: settings.orphanGraceMs };
    try {
      await sweepTarget(target, provider, parts, rules, this.#stopping.signal);
    } catch (error) {
      await hurry(parts.db, 'sweep', [target], Date.now() + AFTER_FAILURE_MS);
      throw error;
    }
    await sweptTarget(parts.db, target, taken.incarnation, Date.now());
  }

  async #survey(target: string, provider: CredentialProvider): Promise<void> {
    if (!tellsStandingAccess(provider)) return;
    const { parts, settings, catalogue, allowed } = this.means;
    const nowMs = Date.now();
    if (!(await takeSurvey(parts.db, target, nowMs, nowMs + settings.surveyEveryMs))) return;
    try {
      await surveyTarget(target, provider, { ...parts, catalogue: catalogue() }, allowed());
    } catch (error) {
      await hurry(parts.db, 'survey', [target], Date.now() + AFTER_FAILURE_MS);
      throw error;
    }
  }

  /** Another catalogue governs other data; another list lets other accounts be. */
  async #followRules(): Promise<void> {
    const { parts, catalogue, allowed } = this.means;
    const now = { catalogue: catalogue(), allowed: allowed() };
    if (now.catalogue === this.#rules.catalogue && now.allowed === this.#rules.allowed) return;
    await hurry(parts.db, 'survey', [...parts.providers.keys()], Date.now());
    Object.assign(this.#rules, now);
  }
}
