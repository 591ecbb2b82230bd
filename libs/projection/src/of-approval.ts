/** Approvals: who asked, who answered and when, and what came of it. */
import { unreachable } from '#events/unreachable.js';
import type { Change } from './tables.js';
import type { Told } from './told.js';

export type ApprovalEventType =
  | 'approval.requested'
  | 'approval.granted'
  | 'approval.refused'
  | 'approval.expired'
  | 'approval.consumed'
  | 'approval.withdrawn'
  | 'break_glass.used';

/** What an approval has come to takes the place of what ranks below. */
const RANK = { pending: 0, granted: 1, refused: 2, expired: 2, consumed: 3, withdrawn: 4 } as const;

export function ofApproval(type: ApprovalEventType, told: Told): readonly Change[] {
  const approvalId = told.text('approvalId');
  if (approvalId === undefined) return [];
  const its = {
    approval_id: approvalId,
    ...{ task_id: told.text('taskId'), tenant: told.text('tenant') },
    ...{ agent: told.text('agent'), call_id: told.text('callId') },
  };
  const changes: Change[] = [{ table: 'approval', facts: { ...its, ...factsOf(type, told) } }];
  const leaseId = type === 'approval.consumed' ? told.text('leaseId') : undefined;
  if (leaseId !== undefined)
    changes.push({
      table: 'access_grant',
      facts: {
        ...{ lease_id: leaseId, task_id: told.text('taskId'), tenant: told.text('tenant') },
        ...{ approval_id: approvalId, approvers: told.list('approvers'), seq_changed: told.seq },
      },
    });
  return changes;
}

function factsOf(type: ApprovalEventType, told: Told) {
  const by = told.text('by');
  switch (type) {
    case 'approval.requested':
      return {
        ...{ tool: told.text('tool'), dataset: told.text('dataset'), action: told.text('action') },
        ...{ target: told.text('target'), approval: told.text('approval'), needed: told.whole('needed') },
        ...{ not_by: told.list('notBy'), policy_set: told.text('policySet') },
        ...{
          requested_at_ms: told.atMs('at'),
          seq_requested: told.seq,
          expires_at_ms: told.atMs('expiresAt'),
        },
        ...settled('pending', told),
      };
    case 'approval.granted': {
      const [granted, needed] = [told.whole('granted'), told.whole('needed')];
      return {
        ...{ first_answer_at_ms: told.atMs('at'), approvers: by === undefined ? [] : [by], granted },
        ...(granted === undefined || granted !== needed ? {} : settled('granted', told)),
      };
    }
    case 'approval.refused':
      return { first_answer_at_ms: told.atMs('at'), ...settled('refused', told) };
    case 'approval.expired':
      return settled('expired', told);
    case 'approval.consumed':
      return { ...settled('consumed', told), lease_id: told.text('leaseId') };
    case 'approval.withdrawn':
      return settled('withdrawn', told);
    case 'break_glass.used':
      return { break_glass: true };
    default:
      return unreachable(type);
  }
}

const settled = (state: keyof typeof RANK, told: Told) => ({
  ...{ rank: RANK[state], state, settled_by: told.text('by') ?? null },
  ...{ settled_at_ms: state === 'pending' ? null : (told.atMs('at') ?? null), seq_settled: told.seq },
});
