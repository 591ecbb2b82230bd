/** What somebody outside is told: one event, and what people see of the approval that it is about. Pure; no secret is in any event. */
import type { Approval } from '#events/approval.js';
import type { NotifiedEvent, NotifiedType } from '#events/notified-types.js';
import type { OutboundEvent } from '#events/outbound.js';
import { approvalView } from '../http/approvals/approval-view.js';

type ShownApproval = ReturnType<typeof approvalView>;

export interface Notice extends Partial<Record<Member, string>>, Partial<Record<Count, number>> {
  type: NotifiedType;
  /** Of the record that tells of it on the bus: the same at each attempt, and for each receiver. */
  id: string;
  at: string;
  taskId: string;
  generation: number;
  /** Of those that decided: those that ask for the approval among them. */
  policies?: string[];
  /** As the endpoint of approvals shows it, as it is after the event. */
  approval?: Omit<
    ShownApproval,
    'approvalId' | (typeof OF_THE_CALL)[number] | (typeof OF_THE_TASK)[number]
  > & {
    id: string;
  };
}

const OF_THE_TASK = ['taskId', 'generation', 'tenant', 'causedBy'] as const;
const OF_THE_CALL = ['callId', 'agent', 'tool', 'dataset', 'action'] as const;
/** What else events say; what is not among these is told on the bus alone. */
const OF_THE_EVENT = [
  'tenant',
  'actor',
  'by',
  'reason',
  'why',
  'cause',
  'causedBy',
  'leaseId',
  'signal',
] as const;
const COUNTS = ['granted', 'score', 'count'] as const;
type Member = (typeof OF_THE_CALL)[number] | (typeof OF_THE_EVENT)[number];
type Count = (typeof COUNTS)[number];

export interface Noted {
  event: NotifiedEvent;
  /** Of its record. */
  id: string;
}

/** @param told all that is told with them @param approvals as they are after the events */
export const noticesOf = (
  noted: readonly Noted[],
  told: readonly OutboundEvent[],
  approvals: ReadonlyMap<string, Approval>,
): Notice[] =>
  noted.map((each) => {
    const { data } = each.event;
    return noticeOf(each, 'approvalId' in data ? approvals.get(data.approvalId) : undefined, told);
  });

function noticeOf(
  { event: { type, data }, id }: Noted,
  approval: Approval | undefined,
  told: readonly OutboundEvent[],
): Notice {
  const { at, taskId, generation } = data;
  const policies = policiesOf(told, taskId, 'callId' in data ? data.callId : undefined);
  return {
    ...{ type, id, at, taskId, generation },
    ...picked(data, OF_THE_EVENT, 'string'),
    ...picked(data, COUNTS, 'number'),
    ...picked(approval?.requested ?? data, OF_THE_CALL, 'string'),
    ...(policies.length === 0 ? {} : { policies }),
    ...(approval === undefined ? {} : { approval: shown(approval) }),
  };
}

function shown(approval: Approval): NonNullable<Notice['approval']> {
  const { approvalId, ...view } = approvalView(approval);
  const said: ReadonlySet<string> = new Set([...OF_THE_TASK, ...OF_THE_CALL]);
  const rest = Object.fromEntries(Object.entries(view).filter(([name]) => !said.has(name)));
  return { id: approvalId, ...(rest as Omit<NonNullable<Notice['approval']>, 'id'>) };
}

/** Of the decision on this call, where it was made in the same commit. */
function policiesOf(told: readonly OutboundEvent[], taskId: string, callId: string | undefined): string[] {
  const found = told.flatMap(({ type, data }) =>
    type === 'call.decided' && data.taskId === taskId && data.callId === callId
      ? data.checks.flatMap(({ policies }) => policies ?? [])
      : [],
  );
  return [...new Set(found)].sort();
}

interface Kinds {
  string: string;
  number: number;
}

function picked<M extends string, K extends keyof Kinds>(
  data: object,
  members: readonly M[],
  kind: K,
): Partial<Record<M, Kinds[K]>> {
  const values = data as Partial<Record<M, Kinds[K]>>;
  const there = members.filter((name) => typeof values[name] === kind);
  return Object.fromEntries(there.map((name) => [name, values[name]])) as Partial<Record<M, Kinds[K]>>;
}
