/** One thread of a replay: it has the engine for itself, loads the set once, and answers batch by batch. */
import { parentPort, workerData } from 'node:worker_threads';
import { PolicySet } from '../policy-set.js';
import { rejudge, type RecordedCall } from './rejudge.js';
import type { ReplayedBy, WrittenCall } from './replay.js';

const { dir, by } = workerData as { dir: string; by: ReplayedBy };
/** @throws PolicyError where the folder cannot be used: the thread ends with it. */
const policies = await PolicySet.load(dir);
const judge =
  by === 'engine'
    ? { presumeCall: () => undefined, replayCall: policies.replayCall.bind(policies) }
    : policies;

parentPort?.on('message', (batch: WrittenCall[]) =>
  parentPort?.postMessage(batch.map((call) => rejudge(judge, read(call)))),
);

const read = ({ decided, inputs }: WrittenCall): RecordedCall => ({
  decided: JSON.parse(decided) as RecordedCall['decided'],
  inputs: inputs === null ? null : (JSON.parse(inputs) as RecordedCall['inputs']),
});
