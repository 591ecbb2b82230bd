/** Parameters of a request: everything is text from outside, and an unknown one is an error rather than ignored. */
import { isInboundType, uuidV7 } from '#events/inbound.js';
import { CREDENTIAL_DELIVERED, deliverySchemas, isOutboundType } from '#events/outbound.js';
import { GAP_DETECTED } from '../leaf/own-entry.js';
import type { EntryFilter } from '../log/entries.js';
import { ProblemError } from './problem.js';

export const MAX_LIMIT = 500;
const DEFAULT_LIMIT = 100;
const MAX_SEQ = 2n ** 53n - 1n;

type Query = Record<string, unknown>;

/** @throws ProblemError ERR_PARAMETER_UNKNOWN, ERR_PARAMETER_INVALID */
export function entryFilter(query: Query): EntryFilter {
  rejectUnknown(query, ['taskId', 'type', 'after', 'limit']);
  const taskId = one(query, 'taskId');
  const type = one(query, 'type');
  const after = one(query, 'after');
  const limit = one(query, 'limit');
  if (taskId !== undefined) taskIdOf(taskId);
  if (type !== undefined && !isKnownType(type)) throw invalid('type', 'must be a type of event');
  return {
    taskId,
    type,
    after: after === undefined ? -1n : seqOf(after, 'after'),
    limit: limit === undefined ? DEFAULT_LIMIT : limitOf(limit),
  };
}

/** @throws ProblemError ERR_PARAMETER_UNKNOWN */
export function rejectUnknown(query: Query, known: readonly string[]): void {
  if (Object.keys(query).some((name) => !known.includes(name)))
    throw new ProblemError('ERR_PARAMETER_UNKNOWN', 'a parameter is unknown', { known: known.join(' ') });
}

/** @throws ProblemError ERR_PARAMETER_INVALID */
export function seqOf(text: string, name = 'seq'): bigint {
  const seq = /^(0|[1-9][0-9]{0,15})$/.test(text) ? BigInt(text) : undefined;
  if (seq === undefined || seq > MAX_SEQ) throw invalid(name, 'must be a sequence number');
  return seq;
}

/** @throws ProblemError ERR_PARAMETER_INVALID */
export function taskIdOf(text: string): string {
  if (!uuidV7.safeParse(text).success) throw invalid('taskId', 'must be a lower-case UUIDv7');
  return text;
}

function limitOf(text: string): number {
  const limit = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > MAX_LIMIT) throw invalid('limit', 'must be 1 to 500');
  return limit;
}

const isKnownType = (type: string): boolean =>
  isInboundType(type) ||
  isOutboundType(type) ||
  Object.hasOwn(deliverySchemas, type) ||
  [CREDENTIAL_DELIVERED, GAP_DETECTED].includes(type);

function one(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value !== undefined && typeof value !== 'string') throw invalid(name, 'may be given once');
  return value;
}

const invalid = (parameter: string, detail: string): ProblemError =>
  new ProblemError('ERR_PARAMETER_INVALID', detail, { parameter });
