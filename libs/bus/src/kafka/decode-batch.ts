/**
 * The answer to a fetch, batch by batch. kafkajs decodes all of it in one go, of as many partitions as there are: ten megabytes where a reader was
 * behind, for which everybody else waited 0.1 s for the thread.
 */
import { lettingOthersIn } from '../letting-in.js';

/** @param from where the next batch of records begins. */
export type DecodeBatch = (from: unknown) => Promise<unknown>;

/** The same, with whoever else waits for the thread let in between two batches. */
export function decodingInParts(decodeBatch: DecodeBatch): DecodeBatch {
  let letIn: ReturnType<typeof lettingOthersIn> | undefined;
  return async (from) => {
    if (letIn === undefined) {
      letIn = lettingOthersIn();
      // With the next turn a new stretch begins.
      setImmediate(() => (letIn = undefined));
    }
    const others = letIn();
    if (others !== undefined) await others;
    return await decodeBatch(from);
  };
}
