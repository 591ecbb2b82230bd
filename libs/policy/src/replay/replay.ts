/** A replay of many calls on several threads. Batches go to whichever thread is idle; what is read waits for them, not in memory. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Flip, Rejudged } from './rejudge.js';

/** A recorded call as JSON text: between threads a text is copied many times as fast as an object. */
export interface WrittenCall {
  decided: string;
  /** Null where they are not kept any more. */
  inputs: string | null;
}

/** `engine`: every call. `compiled`: compiled policies first, and the engine for each flip and a sample. */
export type ReplayedBy = 'engine' | 'compiled';

export interface ReplayReport {
  calls: number;
  /** How many of them the engine itself decided again. */
  byEngine: number;
  /** In the order in which they were made, where the source is. */
  flips: Flip[];
  /** Calls whose inputs are not those that were decided on. */
  altered: Flip['call'][];
  notPolicy: number;
  inputsGone: number;
}

export interface ReplayOptions {
  /** The policy folder to decide by: one that can be used. */
  dir: string;
  threads: number;
  by?: ReplayedBy;
  /** Told after each batch how many have been decided. */
  onProgress?: (calls: number) => void;
}

/** @param batches of recorded calls. @throws DisagreementError; what the source throws, and what ends a thread */
export async function replay(
  batches: AsyncIterable<readonly WrittenCall[]>,
  { dir, threads, by = 'compiled', onProgress = () => undefined }: ReplayOptions,
): Promise<ReplayReport> {
  const idle: Thread[] = Array.from({ length: threads }, () => new Thread(dir, by));
  const all = [...idle];
  const report: ReplayReport = { calls: 0, byEngine: 0, flips: [], altered: [], notPolicy: 0, inputsGone: 0 };
  const underWay = new Set<Promise<void>>();
  const found: Rejudged[][] = [];
  try {
    for await (const batch of batches) {
      if (idle.length === 0) await Promise.race(underWay);
      const thread = idle.pop();
      if (thread === undefined) throw new Error('no thread is idle');
      const index = found.push([]) - 1;
      const work = thread.decide(batch).then((rejudged) => {
        found[index] = rejudged.filter(({ is }) => is === 'flip' || is === 'inputs_altered');
        count(report, rejudged);
        onProgress(report.calls);
        underWay.delete(work);
        idle.push(thread);
      });
      // Heard where all are waited for.
      work.catch(() => undefined);
      underWay.add(work);
    }
    await Promise.all(underWay);
  } finally {
    await Promise.allSettled(underWay);
    await Promise.all(all.map((thread) => thread.end()));
  }
  for (const each of found.flat()) {
    if (each.is === 'flip') report.flips.push(each.flip);
    if (each.is === 'inputs_altered') report.altered.push(each.call);
  }
  return report;
}

function count(report: ReplayReport, rejudged: readonly Rejudged[]): void {
  report.calls += rejudged.length;
  report.byEngine += rejudged.filter(
    (each) => each.is === 'flip' || (each.is === 'same' && each.byEngine),
  ).length;
  report.notPolicy += rejudged.filter(({ is }) => is === 'not_policy').length;
  report.inputsGone += rejudged.filter(({ is }) => is === 'inputs_gone').length;
}

/** A thread, and the one batch that it has in hand. */
class Thread {
  readonly #worker: Worker;
  readonly #dead: Promise<never>;

  constructor(dir: string, by: ReplayedBy) {
    this.#worker = new Worker(new URL('./replay-worker.js', import.meta.url), {
      workerData: { dir, by },
    });
    this.#dead = once(this.#worker, 'error').then(([error]) => {
      throw error;
    });
    // Heard where a batch waits for it.
    this.#dead.catch(() => undefined);
  }

  async decide(batch: readonly WrittenCall[]): Promise<Rejudged[]> {
    const answer = once(this.#worker, 'message') as Promise<[Rejudged[]]>;
    this.#worker.postMessage(batch);
    const [rejudged] = await Promise.race([answer, this.#dead]);
    return rejudged;
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
