/** An approval as it is shown to people, and to the agent that waits for it. */
import { isApproved, type Approval } from '#events/approval.js';
import { json, type Reply } from '../reply.js';

/** `granted`: by one of two, so far. */
export const stateOf = (approval: Approval): string => {
  if (approval.status !== 'open') return approval.status;
  return isApproved(approval) ? 'granted' : 'open';
};

export function approvalView(approval: Approval) {
  const { requested, grants, brokenGlass, leaseId } = approval;
  const { lineage: _lineage, actor: _actor, at, ...asked } = requested;
  return {
    ...{ ...asked, requestedAt: at, state: stateOf(approval), grants, brokenGlass },
    ...(leaseId === null ? {} : { leaseId }),
  };
}

const ASK_AGAIN_S = 2;

/**
 * A call that waits: in the shape of a denial of the AuthZEN Access Request profile, `approval` being the handle. The approval is no
 * credential: with it nothing is to be had but the answer to the same call.
 */
export function pendingReply({ requested }: Approval): Reply {
  const { taskId, callId, approvalId, expiresAt, callDigest, reasons } = requested;
  return json(
    202,
    {
      ...{ decision: false, code: 'ERR_APPROVAL_REQUIRED', taskId, callId, approval: approvalId, reasons },
      context: {
        access_request: {
          id: approvalId,
          state: 'pending',
          endpoint: `/v1/tasks/${taskId}/calls`,
          expires_at: expiresAt,
          binding_token: callDigest,
        },
      },
    },
    { 'Retry-After': String(ASK_AGAIN_S) },
  );
}
