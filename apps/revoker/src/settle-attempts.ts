/**
 * Writes down what cuts and cleans came to. While one transaction commits, the next gathers: a storm of cuts takes few commits. Targets
 * take turns, so that the failures at a dead one do not stand before the proofs of the others. Nothing is written for a process that was
 * away while somebody else took over: whose claim it is by now, and how often the cut was begun anew, is asked under the lock of the task.
 */
import {
  afterClean,
  afterCut,
  type CleanAttempt,
  type CutAttempt,
  type TargetRules,
} from '#events/cut-proof.js';
import { FairQueue } from '#events/fair-queue.js';
import { roundOf, type DoomedLease, type Step } from '#events/revocation.js';
import { unreachable } from '#events/unreachable.js';
import { transact } from '#store/database.js';
import { faultPoint } from '#telemetry/fault-point.js';
import { takenByOthers } from './claims.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';

/** `round`: of the lease as the worker had it. `cleaned`: what was seen after the cut, where a cut leaves nothing to be dropped. */
export type Attempt = { leaseId: string; taskId: string; target: string; round: number } & (
  | { did: 'cut'; attempt: CutAttempt; rules: TargetRules; cleaned?: CleanAttempt }
  | { did: 'clean'; attempt: CleanAttempt }
);

interface Waiting {
  attempt: Attempt;
  done: (written: boolean) => void;
}

const BATCH = 100;
const TRIES = 3;

export class AttemptBook {
  readonly #waiting = new FairQueue<Waiting>();
  #writing: Promise<void> | undefined;

  /** @param after takes what is to be done after each commit. */
  constructor(
    private readonly parts: RevokerParts,
    private readonly taker: () => Taker,
    private readonly after: (flushed: Flushed) => void,
  ) {}

  /** Resolves after the commit. False: nothing was written, and the lease is worked on again once its claim lapses. */
  write(attempt: Attempt): Promise<boolean> {
    return new Promise((done) => {
      this.#waiting.push(attempt.target, attempt.taskId, { attempt, done });
      this.#writing ??= this.#pump();
    });
  }

  async idle(): Promise<void> {
    await this.#writing;
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#batch();
      const flushed = await this.#commit(batch.map((waiting) => waiting.attempt));
      for (const { done } of batch) done(flushed !== null);
      if (flushed !== null) this.after(flushed);
    }
    // At once, not when the promise is seen to settle: what is written in between would wait for the next.
    this.#writing = undefined;
  }

  #batch(): Waiting[] {
    const batch: Waiting[] = [];
    while (batch.length < BATCH) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      batch.push(next);
    }
    return batch;
  }

  async #commit(attempts: readonly Attempt[]): Promise<Flushed | null> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await settle(attempts, this.parts, this.taker());
      } catch (error) {
        if (tries < TRIES) continue;
        this.parts.log.error({ err: error, attempts: attempts.length }, 'attempts could not be written down');
        return null;
      }
    }
  }
}

async function settle(attempts: readonly Attempt[], parts: RevokerParts, taker: Taker): Promise<Flushed> {
  const steps: Step<DoomedLease>[] = [];
  const late: Attempt[] = [];
  const flushed = await transact(parts.db, async (tx) => {
    steps.length = late.length = 0;
    const leaseIds = attempts.map((attempt) => attempt.leaseId);
    const wanted = { ensure: [], lock: attempts.map((attempt) => attempt.taskId), leases: leaseIds };
    // In this order: claims are read under the locks of the tasks.
    const [work, others] = await Promise.all([
      UnitOfWork.begin(tx, wanted, Date.now()),
      takenByOthers(tx, leaseIds, parts.instanceId),
    ]);
    for (const attempt of attempts) {
      const lease = work.lease(attempt.leaseId);
      if (lease === null || lease.state === 'known' || !work.holds(lease.taskId)) continue;
      if (others.has(lease.leaseId) || roundOf(lease) !== attempt.round) {
        late.push(attempt);
        continue;
      }
      const step = stepOf(lease, attempt);
      if (step.lease === lease) continue;
      work.step(step);
      steps.push(step);
    }
    const written = await work.flushLast(tx, taker);
    faultPoint('attempt.before_commit');
    return written;
  });
  faultPoint('attempt.after_commit');
  for (const step of steps) measure(step, parts);
  for (const { leaseId, did } of late) {
    parts.measures.lateAttempts.inc({ work: did });
    parts.log.warn({ leaseId, did }, 'an attempt came too late to count: somebody else had taken over');
  }
  return flushed;
}

function stepOf(lease: DoomedLease, attempt: Attempt): Step<DoomedLease> {
  switch (attempt.did) {
    case 'cut': {
      const cut = afterCut(lease, attempt.attempt, attempt.rules);
      if (attempt.cleaned === undefined || cut.lease.state !== 'cut') return cut;
      const clean = afterClean(cut.lease, attempt.cleaned);
      return { ...clean, events: [...cut.events, ...clean.events] };
    }
    case 'clean':
      return afterClean(lease, attempt.attempt);
    default:
      return unreachable(attempt);
  }
}

function measure({ lease, events }: Step<DoomedLease>, { measures, log }: RevokerParts): void {
  const { leaseId, taskId, state, revocation } = lease;
  if (revocation.attempts > 0) measures.failedAttempts.inc({ work: state === 'due' ? 'cut' : 'clean' });
  for (const { type, data } of events) {
    if (type === 'lease.access_cut')
      measures.cutSeconds.observe({ cause: data.cause }, data.exposureMs / 1_000);
    if (type !== 'lease.revocation_unproven') continue;
    const { code, attempts, exposureMs } = data;
    measures.unproven.inc({ code });
    log.error({ leaseId, taskId, code, attempts, exposureMs }, 'a revocation is not proven');
  }
}
