/** How long a cut takes: until a session that is busy is refused what it does, and until the proof. One lease at a time. */
import type { ProviderHarness } from './harness.contract.js';
import { isProof } from './proof.contract.js';

const REFUSED_WITHIN_MS = 60_000;

export interface Spread {
  p50: number;
  p99: number;
  max: number;
}

export interface Measured {
  cuts: number;
  /** From the call of the cut to the first use that is refused. */
  refusedMs: Spread;
  /** From the call of the cut to its report. */
  provenMs: Spread;
}

/** @throws Error where a cut proves nothing: then there is nothing to measure */
export async function measureCuts(harness: ProviderHarness, cuts: number): Promise<Measured> {
  const refused: number[] = [];
  const proven: number[] = [];
  for (let n = 0; n < cuts; n += 1) {
    const plan = harness.plan();
    const answer = await harness.broker.create(plan);
    if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
    const session = await harness.login(answer.credential);
    await session.use();
    const startedAtMs = performance.now();
    const refusal = untilRefused(() => session.use());
    const report = await harness.revoker.cut(plan);
    proven.push(performance.now() - startedAtMs);
    refused.push((await refusal) - startedAtMs);
    if (!isProof(report)) throw new Error('a cut proved nothing');
    await session.close().catch(() => undefined);
    await harness.revoker.clean(plan);
  }
  return { cuts, refusedMs: spread(refused), provenMs: spread(proven) };
}

/** @returns when. @throws Error where it never is */
async function untilRefused(use: () => Promise<unknown>): Promise<number> {
  const giveUpAtMs = performance.now() + REFUSED_WITHIN_MS;
  while (performance.now() < giveUpAtMs) {
    try {
      await use();
    } catch {
      return performance.now();
    }
    // A use that asks nobody would leave the cut no turn.
    await otherTurn();
  }
  throw new Error('a session goes on after its cut');
}

const otherTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Nearest rank. */
export function spread(valuesMs: readonly number[]): Spread {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const rank = (p: number) => round1(sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? 0);
  return { p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}

const round1 = (ms: number) => Math.round(ms * 10) / 10;
