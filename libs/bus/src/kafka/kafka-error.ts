/** What kafkajs throws, as the bus' own errors. */
import { BusError } from '../bus.js';

/** Kafka's answers that stay the same when the record is sent again. */
const REFUSALS = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TIMESTAMP',
  'INVALID_RECORD',
  'POLICY_VIOLATION',
  'INVALID_TOPIC_EXCEPTION',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
]);

/** Kafka's name of the error, from the error or from what caused it. */
export function kafkaType(error: unknown): string | undefined {
  for (let e = error, depth = 0; e instanceof Error && depth < 5; e = e.cause, depth += 1) {
    const { type } = e as { type?: unknown };
    if (typeof type === 'string') return type;
  }
  return undefined;
}

/** ERR_RECORD_REFUSED where sending again is of no use, ERR_BUS_UNREACHABLE else. */
export function publishError(error: unknown, topics: readonly string[]): BusError {
  const type = kafkaType(error);
  const refused = type !== undefined && REFUSALS.has(type);
  return new BusError(
    refused ? 'ERR_RECORD_REFUSED' : 'ERR_BUS_UNREACHABLE',
    refused ? 'the bus refuses a record' : 'the bus has not acknowledged the records',
    { topics: topics.join(','), ...(type === undefined ? {} : { type }) },
    { cause: error },
  );
}

/** An error of a request that only asks. */
export function unreachable(error: unknown, asked: string): BusError {
  if (error instanceof BusError) return error;
  return new BusError('ERR_BUS_UNREACHABLE', 'the bus does not answer', { asked }, { cause: error });
}
