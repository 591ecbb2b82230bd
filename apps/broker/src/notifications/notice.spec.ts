/** What somebody outside is told of an event, and what not. */
import { approvalOf, evolveApproval } from '#events/approval.js';
import type { EventOf, OutboundEvent } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { approvalView } from '../http/approvals/approval-view.js';
import { noticesOf, type Noted } from './notice.js';
import { askedFor, CALL } from '../../test/asked-approval.js';

const ID = '0192f3c6-0000-7000-8000-00000000000e';
const requested = askedFor();
const decided = {
  type: 'call.decided',
  data: {
    ...CALL,
    ...{ decision: 'approval_required', policySet: 'sha256:p', callDigest: 'sha256:c', proofKey: 'k' },
    checks: [
      { check: 'task_live', ok: true },
      { check: 'tool_policy', ok: true, policies: ['tools.sql'] },
      { check: 'dataset_policy', ok: false, policies: ['guard.write-approval', 'tools.sql'] },
    ],
    obligations: { ttlMs: null, approval: 'one-person' },
  },
} satisfies OutboundEvent;

const told = (event: Noted['event'], beside: OutboundEvent[] = [], approval = approvalOf(requested)) =>
  noticesOf(
    [{ event, id: ID }],
    [...beside, event],
    new Map([[approval.requested.approvalId, approval]]),
  )[0]!;

it('tells of a request all that the endpoint of approvals shows, each thing once', () => {
  const { approval, ...notice } = told(requested, [decided]);

  expect(notice).toEqual({
    ...{ type: 'approval.requested', id: ID, at: CALL.at, taskId: CALL.taskId, generation: 1 },
    ...{ tenant: 'acme', actor: CALL.actor, causedBy: CALL.causedBy },
    ...{ callId: CALL.callId, agent: CALL.agent, tool: 'sql.query', dataset: 'crm.orders', action: 'write' },
    policies: ['guard.write-approval', 'tools.sql'],
  });
  const { id, ...shown } = approval!;
  const {
    taskId: _t,
    generation: _g,
    tenant: _n,
    causedBy: _b,
    ...view
  } = approvalView(approvalOf(requested));
  const { callId: _c, agent: _a, tool: _o, dataset: _d, action: _i, approvalId, ...rest } = view;
  expect(shown).toEqual(rest);
  expect(id).toBe(approvalId);
  expect(shown.binds).toEqual(requested.data.binds);
});

it('tells who said yes, and of which call, as the approval is after it', () => {
  const { approvalId, callDigest } = requested.data;
  const { taskId, generation, tenant, callId, agent, at } = CALL;
  const granted: EventOf<'approval.granted'> = {
    type: 'approval.granted',
    data: {
      ...{ taskId, generation, tenant, callId, agent, at, approvalId, callDigest },
      ...{ actor: 'user:olga@corp.example', by: 'user:olga@corp.example', reason: 'seen' },
      ...{ granted: 1, needed: 1 },
    },
  };
  const notice = told(granted, [], evolveApproval(approvalOf(requested), granted));

  expect(notice).toMatchObject({
    ...{ type: 'approval.granted', by: 'user:olga@corp.example', reason: 'seen' },
    ...{ agent, tool: 'sql.query', dataset: 'crm.orders', action: 'write' },
    approval: { id: approvalId, state: 'granted', grants: ['user:olga@corp.example'], needed: 1 },
  });
  expect(notice).not.toHaveProperty('policies');
});

it('tells of a suspension its cause', () => {
  const { taskId, tenant, at } = CALL;
  const actor = serviceSource('broker');
  const notice = told({
    type: 'task.suspended',
    data: { taskId, generation: 2, tenant, actor, at, cause: 'parked' },
  });
  expect(notice).toEqual({
    ...{ type: 'task.suspended', id: ID, at, taskId, generation: 2, tenant, actor, cause: 'parked' },
  });
});

it('tells nothing that is not meant for people', () => {
  expect(JSON.stringify(told(requested, [decided]))).not.toMatch(/lineage|proofKey|sealTo/);
});
