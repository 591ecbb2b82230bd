/**
 * What a filter may ask for. The first ones are columns, derived from the leaf; the others are read out of the leaf itself, and cost more. Each
 * stands for one constant piece of SQL: nothing else of a filter ever gets into a statement.
 */
import type { Operator } from './filter.js';

/**
 * `text`: compared as it is. `id`: whoever acted, where a person stands in the leaf as a pseudonym. `person`: always a pseudonym. `seq`: a place
 * in the log. `count`: a whole number. `time`: RFC 3339. `flag`: true or false.
 */
export type FieldKind = 'text' | 'id' | 'person' | 'seq' | 'count' | 'time' | 'flag';

export interface Field {
  kind: FieldKind;
  /** Over `e`, a row of `entry`, or `said.leaf`, the envelope as `jsonb`. */
  sql: string;
  /** Of what is read out of the leaf: the name under which it stands there. */
  member?: string;
}

const column = (kind: FieldKind, name: string): Field => ({ kind, sql: `e.${name}` });
const inLeaf = (kind: FieldKind, ...path: readonly string[]): Field => ({
  kind,
  sql: `(said.leaf #>> '{${path.join(',')}}')`,
  member: path.at(-1) ?? '',
});

/** By name as it is written in a filter. */
export const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ['seq', column('seq', 'seq')],
  ['type', column('text', 'type')],
  ['task', column('text', 'task_id')],
  ['id', column('text', 'event_id')],
  ['topic', column('text', 'topic')],
  ['partition', column('count', 'partition')],
  ['offset', column('count', 'bus_offset')],
  ['appendedAt', column('time', 'appended_at_ms')],
  ['admitted', column('flag', 'admitted')],
  ['service', inLeaf('text', 'service')],
  ['sender', inLeaf('id', 'sender')],
  ['actor', inLeaf('id', 'event', 'actor')],
  ['tenant', inLeaf('text', 'event', 'tenant')],
  ['agent', inLeaf('id', 'event', 'agent')],
  ['tool', inLeaf('text', 'event', 'tool')],
  ['dataset', inLeaf('text', 'event', 'dataset')],
  ['action', inLeaf('text', 'event', 'action')],
  ['decision', inLeaf('text', 'event', 'decision')],
  [
    'code',
    { kind: 'text', sql: "coalesce(said.leaf #>> '{event,code}', said.leaf #>> '{code}')", member: 'code' },
  ],
  ['call', inLeaf('text', 'event', 'callId')],
  ['lease', inLeaf('text', 'event', 'leaseId')],
  ['approval', inLeaf('text', 'event', 'approvalId')],
  ['target', inLeaf('text', 'event', 'target')],
  ['cause', inLeaf('text', 'event', 'cause')],
  ['reader', inLeaf('id', 'event', 'reader')],
  ['principal', inLeaf('person', 'event', 'principal', 'id')],
  ['causedBy', inLeaf('text', 'event', 'causedBy')],
]);

const ORDERED: readonly Operator[] = ['=', '!=', '<', '<=', '>', '>='];
/** `:` is: there at all (`*`), begins with (`lease.*`), or equal. */
const NAMED: readonly Operator[] = ['=', '!=', ':'];

export const OPERATORS_OF: Readonly<Record<FieldKind, readonly Operator[]>> = {
  text: NAMED,
  id: NAMED,
  person: NAMED,
  seq: ORDERED,
  count: ORDERED,
  time: ORDERED,
  flag: ['=', '!='],
};
