/**
 * A consumer of kafkajs ends where all its connections did between two fetches, and where one does while it joins: what it retries begins
 * with its first fetch. Nothing is wrong with it then, and it is to join again; in all other cases that would hide that records were not
 * handled.
 */

import { backoffMs } from '../tries.js';

/** About 14 s without having joined, as long as a client waits for a broker's restart. */
const TRIES = 10;
const MAX_PAUSE_MS = 2_000;

interface ClientError extends Error {
  /** Of errors of kafkajs only. */
  readonly retriable?: boolean;
}

/** How often one consumer has ended in a row. */
export class JoiningAnew {
  #ended = 0;

  /** After how many ms to join again; nothing where this error, or one more in a row, is the end. */
  pauseMs(error: ClientError): number | undefined {
    if (!isPassing(error) || this.#ended === TRIES) return undefined;
    this.#ended += 1;
    return Math.min(backoffMs(this.#ended), MAX_PAUSE_MS);
  }

  joined(): void {
    this.#ended = 0;
  }
}

function isPassing(error: ClientError): boolean {
  // It has waited long enough.
  if (error.name === 'KafkaJSNumberOfRetriesExceeded') return false;
  return error.retriable === true || isWithoutCoordinator(error);
}

/** No broker that it knew was there to tell the coordinator; said to be final, and sometimes wrapped. */
function isWithoutCoordinator({ name, cause }: Error): boolean {
  if (name === 'KafkaJSGroupCoordinatorNotFound') return true;
  return cause instanceof Error && isWithoutCoordinator(cause);
}
