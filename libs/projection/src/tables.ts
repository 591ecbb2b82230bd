/** What each projection keeps, and how what is told anew joins what was told before. */

/**
 * How a column takes what an entry says. All but `sum` take the same thing twice as once, so that a record that its producer sent twice changes
 * nothing; `sum` is only fed with what was not told before.
 * `first`: what was told first stands. `min`, `max`: of numbers. `any`: of lists, each thing once, the first so many. `with`: goes with another
 * column: it is replaced, also by null, when that one grows. `follows`: no entry says it; it follows from other rows.
 */
export type Rule =
  'first' | 'min' | 'max' | 'sum' | 'follows' | { readonly any: number } | { readonly with: string };

export interface Table {
  readonly key: readonly string[];
  readonly columns: Readonly<Record<string, Rule>>;
}

const withCut = { with: 'cut_at_ms' } as const;
const withRank = { with: 'rank' } as const;
const whenTold = { with: 'told_at_ms' } as const;

/** Times and sequence numbers are numbers: below 2^53. */
export const TABLES = {
  task_life: {
    key: ['task_id'],
    columns: {
      ...{ tenant: 'first', orchestrator: 'first', principal: 'first', principal_kind: 'first' },
      ...{ risk: 'first', accepted_at_ms: 'first', seq_accepted: 'first' },
      ...{ ended_at_ms: 'first', outcome: 'first', seq_ended: 'first' },
    },
  },
  access_grant: {
    key: ['lease_id'],
    columns: {
      ...{ task_id: 'first', tenant: 'first', agent: 'first', principal: 'follows', call_id: 'first' },
      ...{ tool: 'first', dataset: 'first', action: 'first' },
      ...{ provider: 'first', target: 'first', account: 'first', rights: 'first' },
      ...{ policy_set: 'first', seq_decided: 'first', approval_id: 'first', approvers: 'first' },
      ...{ granted_at_ms: 'first', seq_granted: 'first', expires_at_ms: 'max', renewals: 'max' },
      ...{ abandoned_at_ms: 'first', cut_requested_at_ms: 'first', attempts: 'max' },
      // One that is found again after it was cut is cut again: then its access ended later.
      ...{ cut_at_ms: 'max', cause: withCut, exposure_ms: withCut, seq_cut: withCut },
      ...{ removed_at_ms: 'max', task_ended_at_ms: 'follows', outlived_ms: 'follows', seq_changed: 'max' },
    },
  },
  decision_count: {
    key: ['day', 'tenant', 'agent', 'tool', 'dataset', 'action', 'decision', 'code'],
    columns: { day_at_ms: 'first', count: 'sum', seq_first: 'min', seq_last: 'max' },
  },
  approval: {
    key: ['approval_id'],
    columns: {
      ...{ task_id: 'first', tenant: 'first', agent: 'first', call_id: 'first' },
      ...{ tool: 'first', dataset: 'first', action: 'first', target: 'first' },
      ...{ approval: 'first', needed: 'first', not_by: 'first', policy_set: 'first' },
      ...{ requested_at_ms: 'first', seq_requested: 'first', expires_at_ms: 'first' },
      ...{ first_answer_at_ms: 'min', approvers: { any: 16 }, granted: 'max', break_glass: 'first' },
      // A state of a higher rank takes the place of a lower one, whatever comes again.
      ...{ rank: 'max', state: withRank, settled_by: withRank, settled_at_ms: withRank },
      ...{ seq_settled: withRank, lease_id: 'first' },
    },
  },
  agent_seen: {
    key: ['tenant', 'agent'],
    columns: {
      ...{
        first_seen_at_ms: 'first',
        last_seen_at_ms: 'max',
        calls: 'sum',
        permitted: 'sum',
        refused: 'sum',
      },
      ...{ models: { any: 16 }, seq_first: 'min', seq_last: 'max' },
    },
  },
  policy_activation: {
    key: ['event_id'],
    columns: {
      ...{ policy_set: 'first', previous: 'first', added: 'first', removed: 'first', changed: 'first' },
      ...{ policies: 'first', activated_by: 'first', activated_at_ms: 'first', seq_activated: 'first' },
    },
  },
  standing_access: {
    key: ['target', 'principal'],
    columns: {
      ...{ provider: 'first', reaches: whenTold, more: whenTold, ways: whenTold, never_expires: whenTold },
      ...{ owners: whenTold, found_at_ms: 'first', seq_found: 'first' },
      ...{ told_at_ms: 'max', seq_told: whenTold, gone_at_ms: whenTold, why: whenTold },
    },
  },
} as const satisfies Record<string, Table>;

export type TableName = keyof typeof TABLES;
export const TABLE_NAMES = Object.keys(TABLES) as TableName[];

export type Value = string | number | boolean | null | readonly unknown[];
/** By column; as it is stored. */
export type Row = Readonly<Record<string, Value>>;

type KeyOf<N extends TableName> = (typeof TABLES)[N]['key'][number];
type ColumnOf<N extends TableName> = keyof (typeof TABLES)[N]['columns'];
/** What an entry says of one row: its key, and what there is to tell. Null: told to be none. */
export type Facts<N extends TableName> = Readonly<Record<KeyOf<N>, string>> &
  Readonly<Partial<Record<ColumnOf<N>, Value>>>;
export type Change = { [N in TableName]: { readonly table: N; readonly facts: Facts<N> } }[TableName];

/** The key of a row as one text: most have one column, and that is a text. */
export function keyOf(table: TableName, row: Row): string {
  const { key }: Table = TABLES[table];
  const [first = ''] = key;
  return key.length === 1 ? String(row[first]) : JSON.stringify(key.map((column) => row[column]));
}
