/**
 * Cut: fence and NOLOGIN committed first, then every session ended, then looked at until nothing is there (protocol
 * rule 7, class `fenced`). Safe to repeat and to run twice at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { faultPoint } from '#telemetry/fault-point.js';
import type { Log } from '#telemetry/log.js';
import { ProviderError, type CutReport } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import { setFences } from './fence.js';
import { issuerOf } from './issuer.js';
import { endAndLook, type Look } from './look.js';
import type { Pools } from './pools.js';
import { Pump } from '../pump.js';
import { takeRights } from './take-rights.js';

/** When to look, in milliseconds after the fence and the look that goes with it. */
const LOOKS_AT_MS = [0, 2, 20, 50, 100, 200, 400, 700, 1_000, 1_400, 1_900];
/** The last of the empty looks is not earlier than this. */
const SETTLED_AFTER_MS = 20;
/**
 * A login that passed the server's check just before the fence is seen a little later. One that takes so long is not waited for: it
 * finds no rights.
 */
const RIGHTS_AFTER_MS = 50;
const EMPTY_LOOKS = 2;
/** Together they leave no connection of the pool unused, and none is waited for. */
const FENCES = { flushes: 3, batch: 32, fullAloneMs: 100 };
const LOOKS = { flushes: 1, batch: 200 };
const RIGHTS = { flushes: 1, batch: 50 };

export class Cutter {
  readonly #fences: Pump<CheckedPlan, ProviderError | Look>;
  readonly #looks: Pump<CheckedPlan, Look>;
  readonly #rights: Pump<CheckedPlan, boolean>;

  /** @param issuerShards how many roles create principals at this target */
  constructor(pools: Pools, issuerShards: number, log: Log) {
    // Becoming a creator is most of what a fence costs: those of one go together.
    const kindOf = ({ leaseId }: CheckedPlan) => issuerOf(leaseId, issuerShards);
    this.#fences = new Pump({ ...FENCES, kindOf }, (plans) => setFences(pools, plans, log));
    this.#looks = new Pump(LOOKS, (plans) => endAndLook(pools.cut, plans));
    this.#rights = new Pump(RIGHTS, (plans) => takesRights(pools, plans, log));
  }

  /** @throws ProviderError when the fence could not be set or the target could not be looked at: nothing is proven, call again */
  async cut(plan: CheckedPlan): Promise<CutReport> {
    const fenced = await this.#fences.push(plan);
    if (fenced instanceof ProviderError) {
      // Nothing is proven, but what is open need not stay open until the login can be taken.
      if (fenced.code !== 'ERR_TARGET_UNREACHABLE') await this.#looks.push(plan).catch(() => undefined);
      throw fenced;
    }
    faultPoint('cut.fenced');
    return this.#endSessions(plan, fenced);
  }

  /** @param first what was open when the fence stood */
  async #endSessions(plan: CheckedPlan, first: Look): Promise<CutReport> {
    const fencedAtMs = performance.now();
    const ended = new Set<number>();
    /** What may still come of logins that were under way when the fence was set. */
    let letIn: number[] | undefined;
    let emptyObservations = 0;
    for (let i = 0; ; i++) {
      // Where nothing was open at the first look there is nothing to see before a look that can prove it.
      if (emptyObservations > 0 && (LOOKS_AT_MS[i] ?? 0) < SETTLED_AFTER_MS) continue;
      const inMs = (LOOKS_AT_MS[i] ?? 0) - (performance.now() - fencedAtMs);
      if (inMs > 0) await sleep(inMs);
      const sentAfterMs = performance.now() - fencedAtMs;
      const { observation, endedPids, loginPids } = i === 0 ? first : await this.#looks.push(plan);
      for (const pid of endedPids) ended.add(pid);
      letIn = (letIn ?? loginPids).filter((pid) => loginPids.includes(pid));
      if (letIn.length > 0 && sentAfterMs >= RIGHTS_AFTER_MS && (await this.#rights.push(plan))) letIn = [];
      emptyObservations = observation.state === 'live' || letIn.length > 0 ? 0 : emptyObservations + 1;
      const proven = emptyObservations >= EMPTY_LOOKS && sentAfterMs >= SETTLED_AFTER_MS;
      if (proven || i >= LOOKS_AT_MS.length - 1) {
        return { observation, emptyObservations, sessionsEnded: ended.size };
      }
    }
  }
}

/** Never rejects: what cannot be taken now is tried again at the next look. */
async function takesRights(pools: Pools, plans: readonly CheckedPlan[], log: Log): Promise<boolean[]> {
  try {
    await takeRights(pools.tidy, plans);
    return plans.map(() => true);
  } catch (error) {
    log.warn({ err: error, count: plans.length }, 'rights of principals cannot be taken');
    return plans.map(() => false);
  }
}
