/**
 * Questions that auditors ask again and again, each answered out of one projection: what an index finds of it, what is asked besides, and in which order.
 * Whatever was asked is a parameter of the statement.
 */
import type { RowsQuery } from '../query/read-rows.js';
import type { Bind } from '../query/translate.js';
import type { Columns } from './columns.js';
import {
  agentColumns,
  approvalColumns,
  decisionColumns,
  leaseColumns,
  policyColumns,
  standingColumns,
} from './row-columns.js';

/** Names that may be asked for, by the column that has them. */
const NAMES = {
  agent: 'agent',
  tool: 'tool',
  dataset: 'dataset',
  target: 'target',
  task: 'task_id',
  state: 'state',
  decision: 'decision',
  principal: 'principal',
} as const;
export type NameParameter = keyof typeof NAMES;
export const NAME_PARAMETERS = Object.keys(NAMES) as NameParameter[];
/** Beside names: a window of time, and a least number of milliseconds. */
export type EvidenceParameter = NameParameter | 'window' | 'minMs';

/** What was asked for, read. */
export interface Asked {
  /** As they stand in leaves; any of them. */
  names: Readonly<Partial<Record<NameParameter, readonly string[]>>>;
  fromMs: bigint;
  toMs: bigint;
  minMs: bigint;
  /** No lease was granted for longer. */
  longestMs: bigint;
  nowMs: bigint;
}

export interface EvidenceQuery {
  question: string;
  takes: readonly EvidenceParameter[];
  columns: Columns;
  rows: Pick<RowsQuery, 'table' | 'order'>;
  /** What an index finds. */
  found: (asked: Asked, bind: Bind) => readonly string[];
  /** Beside the names. */
  wanted?: (asked: Asked, bind: Bind) => readonly string[];
  /** Whose rows they are; without it those that may read all tenants see them. */
  isOfTenants: boolean;
}

const DAY_MS = 86_400_000n;
const leases = { table: 'access_grant', order: ['granted_at_ms', 'seq_granted'] } as const;
const ofALease = ['agent', 'principal', 'tool', 'dataset', 'target', 'task'] as const;
const inWindow =
  (column: string) =>
  ({ fromMs, toMs }: Asked, bind: Bind): string[] => [
    `${column} >= ${bind(fromMs)}::bigint`,
    `${column} < ${bind(toMs)}::bigint`,
  ];

export const EVIDENCE = {
  access: {
    question: 'Who could get at what, at any time in a window?',
    takes: ['window', ...ofALease],
    columns: leaseColumns,
    rows: leases,
    found: ({ fromMs, toMs, longestMs, names }, bind) => [
      `granted_at_ms < ${bind(toMs)}::bigint`,
      `granted_at_ms > ${bind(fromMs - longestMs)}::bigint`,
      ...(names.dataset === undefined ? [] : [`dataset = ANY(${bind(names.dataset)}::text[])`]),
    ],
    wanted: ({ fromMs }, bind) => [
      `expires_at_ms > ${bind(fromMs)}::bigint`,
      `(cut_at_ms IS NULL OR cut_at_ms > ${bind(fromMs)}::bigint)`,
    ],
    isOfTenants: true,
  },
  outlived: {
    question: 'Which access went on after its task had ended, and for how long?',
    takes: ['window', 'minMs', ...ofALease],
    columns: leaseColumns,
    rows: { table: 'access_grant', order: ['outlived_ms', 'seq_granted'] },
    found: ({ minMs }, bind) => ['outlived_ms > 0', `outlived_ms >= ${bind(minMs)}::bigint`],
    wanted: inWindow('task_ended_at_ms'),
    isOfTenants: true,
  },
  open: {
    question: 'Which access is not proven gone?',
    takes: ofALease,
    columns: leaseColumns,
    rows: leases,
    found: () => ['seq_granted IS NOT NULL', 'cut_at_ms IS NULL'],
    isOfTenants: true,
  },
  overdue: {
    question:
      'Which access should be gone and is not proven so: its task has ended, it was to be cut, or it has run out?',
    takes: ofALease,
    columns: leaseColumns,
    rows: leases,
    found: () => ['seq_granted IS NOT NULL', 'cut_at_ms IS NULL'],
    wanted: ({ nowMs }, bind) => [
      `(task_ended_at_ms IS NOT NULL OR cut_requested_at_ms IS NOT NULL OR expires_at_ms <= ${bind(nowMs)}::bigint)`,
    ],
    isOfTenants: true,
  },
  undecided: {
    question: 'Which access was granted without a decision before it that permits it? There must be none.',
    takes: ofALease,
    columns: leaseColumns,
    rows: leases,
    found: () => ['seq_granted IS NOT NULL', '(seq_decided IS NULL OR seq_decided > seq_granted)'],
    isOfTenants: true,
  },
  approvals: {
    question: 'What were people asked, who answered, how fast, and what came of it?',
    takes: ['window', 'agent', 'tool', 'dataset', 'target', 'task', 'state'],
    columns: approvalColumns,
    rows: { table: 'approval', order: ['requested_at_ms', 'seq_requested'] },
    found: (asked, bind) => ['seq_requested IS NOT NULL', ...inWindow('requested_at_ms')(asked, bind)],
    isOfTenants: true,
  },
  decisions: {
    question: 'What was decided how often, by day, agent, tool, dataset and reason?',
    takes: ['window', 'agent', 'tool', 'dataset', 'decision'],
    columns: decisionColumns,
    rows: { table: 'decision_count', order: ['day_at_ms', 'seq_first'] },
    // Days of which some part is in the window.
    found: ({ fromMs, toMs }, bind) => [
      `day_at_ms > ${bind(fromMs - DAY_MS)}::bigint`,
      `day_at_ms < ${bind(toMs)}::bigint`,
    ],
    isOfTenants: true,
  },
  agents: {
    question: 'Which agents are there, since when, and what became of their calls?',
    takes: ['agent'],
    columns: agentColumns,
    rows: { table: 'agent_seen', order: ['first_seen_at_ms', 'seq_first'] },
    found: () => [],
    isOfTenants: true,
  },
  policies: {
    question: 'Which policy sets were in force from when, and who changed them?',
    takes: [],
    columns: policyColumns,
    rows: { table: 'policy_activation', order: ['activated_at_ms', 'seq_activated'] },
    found: () => [],
    isOfTenants: false,
  },
  standing: {
    question: 'Who can get at governed data without a lease, or could?',
    takes: ['target', 'principal'],
    columns: standingColumns,
    rows: { table: 'standing_access', order: ['found_at_ms', 'seq_found'] },
    found: () => ['seq_found IS NOT NULL'],
    isOfTenants: false,
  },
} as const satisfies Readonly<Record<string, EvidenceQuery>>;

export type EvidenceName = keyof typeof EVIDENCE;
export const EVIDENCE_NAMES = Object.keys(EVIDENCE) as EvidenceName[];

/** @param tenants whose rows may be seen; all, if undefined */
export function evidenceRows(
  query: EvidenceQuery,
  asked: Asked,
  tenants: readonly string[] | undefined,
  page: Pick<RowsQuery, 'limit' | 'before'>,
): RowsQuery {
  return {
    ...query.rows,
    found: (bind) => query.found(asked, bind),
    wanted: (bind) => [
      ...(query.wanted?.(asked, bind) ?? []),
      ...Object.entries(asked.names).map(
        ([name, values]) => `${NAMES[name as NameParameter]} = ANY(${bind(values)}::text[])`,
      ),
      ...(tenants === undefined
        ? []
        : [query.isOfTenants ? `tenant = ANY(${bind(tenants)}::text[])` : 'false']),
    ],
    ...page,
  };
}
