/** One thread of a replay: it has the engine for itself, loads the set once, and answers batch by batch. */
import { parentPort, workerData } from 'node:worker_threads';
import { PolicySet } from '../policy-set.js';
import { rejudge, type RecordedCall } from './rejudge.js';

/** @throws PolicyError where the folder cannot be used: the thread ends with it. */
const policies = await PolicySet.load((workerData as { dir: string }).dir);
parentPort?.on('message', (batch: RecordedCall[]) =>
  parentPort?.postMessage(batch.map((call) => rejudge(policies, call))),
);
