/**
 * Writes down what cuts and cleans came to. While one transaction commits, the next gathers: a storm of cuts takes few commits.
 */
import {
  afterClean,
  afterCut,
  type CleanAttempt,
  type CutAttempt,
  type TargetRules,
} from '#events/cut-proof.js';
import type { DoomedLease, Step } from '#events/revocation.js';
import { unreachable } from '#events/unreachable.js';
import { transact } from '#store/database.js';
import { faultPoint } from '#telemetry/fault-point.js';
import type { RevokerParts } from './revoker-parts.js';
import { UnitOfWork, type Flushed, type Taker } from './unit-of-work.js';

export type Attempt = { leaseId: string; taskId: string } & (
  { did: 'cut'; attempt: CutAttempt; rules: TargetRules } | { did: 'clean'; attempt: CleanAttempt }
);

interface Waiting {
  attempt: Attempt;
  done: (written: boolean) => void;
}

const BATCH = 100;
const TRIES = 3;

export class AttemptBook {
  #waiting: Waiting[] = [];
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
      this.#waiting.push({ attempt, done });
      this.#writing ??= this.#pump();
    });
  }

  async idle(): Promise<void> {
    await this.#writing;
  }

  async #pump(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      const flushed = await this.#commit(batch.map((waiting) => waiting.attempt));
      for (const { done } of batch) done(flushed !== null);
      if (flushed !== null) this.after(flushed);
    }
    // At once, not when the promise is seen to settle: what is written in between would wait for the next.
    this.#writing = undefined;
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
  const flushed = await transact(parts.db, async (tx) => {
    steps.length = 0;
    const wanted = {
      ensure: [],
      lock: attempts.map((attempt) => attempt.taskId),
      leases: attempts.map((attempt) => attempt.leaseId),
    };
    const work = await UnitOfWork.begin(tx, wanted, Date.now());
    for (const attempt of attempts) {
      const lease = work.lease(attempt.leaseId);
      if (lease === null || lease.state === 'known' || !work.holds(lease.taskId)) continue;
      const step = stepOf(lease, attempt);
      if (step.lease === lease) continue;
      work.step(step);
      steps.push(step);
    }
    const written = await work.flush(tx, taker);
    faultPoint('attempt.before_commit');
    return written;
  });
  faultPoint('attempt.after_commit');
  for (const step of steps) measure(step, parts);
  return flushed;
}

function stepOf(lease: DoomedLease, attempt: Attempt): Step<DoomedLease> {
  switch (attempt.did) {
    case 'cut':
      return afterCut(lease, attempt.attempt, attempt.rules);
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
    if (type === 'lease.revocation_unproven')
      log.error({ leaseId, taskId, code: data.code, attempts: data.attempts }, 'a revocation is not proven');
  }
}
