/** Verifies the archive or folder at a path. What is in it is never a reason to throw; that it cannot be read is. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BundleError } from '../errors.js';
import type { Checkpoint } from '../merkle.js';
import type { Trust } from '../trust.js';
import { refused, verifyBundle, verifyLeaves, withTable, type BundleReport } from '../verify-bundle.js';
import type { TableVerdict } from '../verify-table.js';
import { openBundle, type OpenBundle } from './open-bundle.js';

/** What the second thread makes is looked at once and thrown away, so its heap need not grow before it is swept. */
const HEAP = { maxYoungGenerationSizeMb: 4, maxOldGenerationSizeMb: 64 };
/** A thread for a smaller table would take longer to start than to help. */
const WORTH_A_THREAD_BYTES = 4_000_000;

/** The table of a large bundle is looked at by a second thread. @throws what the file system says of it */
export async function verifyBundleAt(path: string, trust: Trust, since?: Checkpoint): Promise<BundleReport> {
  let files: OpenBundle;
  try {
    files = openBundle(path);
  } catch (error) {
    if (error instanceof BundleError) return refused(error);
    throw error;
  }
  try {
    const isLarge = (files.sizes.get('entries.csv') ?? 0) >= WORTH_A_THREAD_BYTES;
    return isLarge ? await verifyInTwo(path, files, trust, since) : verifyBundle(files, trust, since);
  } finally {
    files.close();
  }
}

async function verifyInTwo(
  path: string,
  files: OpenBundle,
  trust: Trust,
  since: Checkpoint | undefined,
): Promise<BundleReport> {
  const worker = new Worker(new URL('./table-worker.js', import.meta.url), {
    workerData: path,
    resourceLimits: HEAP,
  });
  const answer = once(worker, 'message') as Promise<[TableVerdict]>;
  // Heard where it is waited for, if it is.
  answer.catch(() => undefined);
  try {
    const report = verifyLeaves(files, trust, since);
    if (report.origin === null || report.verdict === 'altered') return report;
    const [table] = await answer;
    return withTable(report, table);
  } finally {
    await worker.terminate();
  }
}
