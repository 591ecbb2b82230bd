/** What `GET /v1/entries` is asked for, and the filter of `GET /v1/stream`. Pure. */
import { isInboundType } from '#events/inbound.js';
import { CREDENTIAL_DELIVERED, deliverySchemas, isOutboundType } from '#events/outbound.js';
import { OWN_TYPES } from '../leaf/own-entry.js';
import { conjuncts, parseFilter, type Filter, type Term } from '../query/filter.js';
import { instantMs } from '../query/instant.js';
import type { Order } from '../query/page.js';
import { isById, translate } from '../query/translate.js';
import { invalid, one, rejectUnknown, seqOf, taskIdOf, type Query } from './parameters.js';
import { ProblemError } from './problem.js';

export const MAX_LIMIT = 500;
export const DEFAULT_LIMIT = 100;
/** Of proofs in one page. */
export const MAX_PROVEN = 100;
const DAY_MS = 86_400_000;
export const MAX_WINDOW_MS = 31 * DAY_MS;

export const LIST_PARAMETERS = [
  ...['filter', 'taskId', 'type', 'from', 'to'],
  ...['order', 'limit', 'after', 'proof'],
] as const;

export interface ListQuery {
  filter: Filter | undefined;
  /** When entries came into the log, in epoch milliseconds: `[fromMs, toMs)`. */
  fromMs: number | undefined;
  toMs: number | undefined;
  order: Order;
  limit: number;
  proven: boolean;
  after: { seq: bigint } | { cursor: string } | undefined;
  /** All that was asked but for the page, as one text. */
  identity: string;
}

/** @throws ProblemError, FilterError */
export function listQuery(query: Query, nowMs: number): ListQuery {
  rejectUnknown(query, LIST_PARAMETERS);
  const filter = wantedFilter(query);
  const order = oneOf(query, 'order', ['asc', 'desc']) ?? 'asc';
  const proven = oneOf(query, 'proof', ['none', 'inclusion']) === 'inclusion';
  const after = afterOf(one(query, 'after'));
  // Whoever names entries one by one, or where to go on, has said how much it is.
  const needsNoWindow = namesFew(filter) || (after !== undefined && 'seq' in after);
  return {
    filter,
    ...windowOf(query, needsNoWindow, nowMs),
    order,
    limit: limitOf(one(query, 'limit'), proven ? MAX_PROVEN : MAX_LIMIT),
    proven,
    after,
    identity: identityOf(query),
  };
}

/** `taskId` and `type` are terms that must hold besides. @throws ProblemError, FilterError */
export function wantedFilter(query: Query): Filter | undefined {
  const text = one(query, 'filter');
  const taskId = one(query, 'taskId');
  const type = one(query, 'type');
  if (taskId !== undefined) taskIdOf(taskId);
  if (type !== undefined && !isKnownType(type)) throw invalid('type', 'must be a type of event');
  const parts = [
    ...(text === undefined ? [] : conjuncts(parseFilter(text))),
    ...(taskId === undefined ? [] : [equal('task', taskId)]),
    ...(type === undefined ? [] : [equal('type', type)]),
  ];
  // Told now, so that no answer has begun when a field turns out to be unknown.
  const filter: Filter | undefined = parts.length === 0 ? undefined : { kind: 'and', parts };
  translate(filter, () => '$1', AS_THEY_ARE);
  return filter;
}

export const identityOf = (query: Query): string =>
  JSON.stringify(['filter', 'taskId', 'type', 'from', 'to', 'order'].map((name) => query[name] ?? null));

const AS_THEY_ARE = { idOf: (id: string) => id, personOf: (id: string) => id };
const namesFew = (filter: Filter | undefined): boolean => isById(translate(filter, () => '$1', AS_THEY_ARE));

export const equal = (field: string, value: string): Term => ({
  kind: 'term',
  field: { is: field, at: 0 },
  operator: { is: '=', at: 0 },
  value: { is: value, at: 0 },
});

/** Without bounds it is the latest that may be asked for. @throws ProblemError ERR_RANGE_INVALID, ERR_RANGE_TOO_WIDE */
export function windowOf(
  query: Query,
  needsNone: boolean,
  nowMs: number,
): Pick<ListQuery, 'fromMs' | 'toMs'> {
  const fromMs = timeOf(query, 'from');
  const toMs = timeOf(query, 'to');
  if (fromMs !== undefined && toMs !== undefined && fromMs >= toMs)
    throw new ProblemError('ERR_RANGE_INVALID', 'from must be before to', { parameter: 'to' });
  if (needsNone) return { fromMs, toMs };
  const endMs = toMs ?? nowMs;
  if (fromMs !== undefined && endMs - fromMs > MAX_WINDOW_MS)
    throw new ProblemError('ERR_RANGE_TOO_WIDE', 'without a filter by id a window has at most 31 days', {
      parameter: 'from',
    });
  return { fromMs: fromMs ?? endMs - MAX_WINDOW_MS, toMs };
}

function timeOf(query: Query, name: string): number | undefined {
  const text = one(query, name);
  if (text === undefined) return undefined;
  const atMs = instantMs(text);
  if (atMs === undefined) throw invalid(name, 'must be a time of RFC 3339 with its zone');
  return atMs;
}

export function limitOf(text: string | undefined, max: number): number {
  if (text === undefined) return Math.min(DEFAULT_LIMIT, max);
  const limit = /^[1-9][0-9]{0,2}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > max) throw invalid('limit', `must be 1 to ${max}`);
  return limit;
}

function afterOf(text: string | undefined): ListQuery['after'] {
  if (text === undefined) return undefined;
  return /^[0-9]{1,20}$/.test(text) ? { seq: seqOf(text, 'after') } : { cursor: text };
}

export function oneOf<T extends string>(query: Query, name: string, known: readonly T[]): T | undefined {
  const text = one(query, name);
  const found = known.find((each) => each === text);
  if (text !== undefined && found === undefined) throw invalid(name, `must be ${known.join(' or ')}`);
  return found;
}

const isKnownType = (type: string): boolean =>
  isInboundType(type) ||
  isOutboundType(type) ||
  Object.hasOwn(deliverySchemas, type) ||
  [CREDENTIAL_DELIVERED, ...OWN_TYPES].includes(type);
