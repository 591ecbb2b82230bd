/** Who may approve in the world of the fixture, a call that asks them, and their answers. */
import type { ApprovalFacts } from '../src/approval-facts.js';
import {
  approvalOf,
  decideAnswer,
  evolveApproval,
  type Answer,
  type AnswerFacts,
  type Approval,
  type ApprovalEvent,
} from '../src/approval.js';
import { decideCall } from '../src/call.js';
import type { Catalogue } from '../src/catalogue.js';
import type { ToolCalled } from '../src/inbound.js';
import { ANALYST, call, callFacts, catalogue, HASH, judge, NOW, openTask, sender } from './fixture.js';

export const OLGA = 'user:olga@corp.example';
export const PAVEL = 'user:pavel@corp.example';
export const NADIA = 'user:nadia@corp.example';
export const MARIA = 'user:maria@corp.example';
export const ROBOT = 'spiffe://dev.mayfly/operator/approver';
export const LEASE = 'lease-1';

export const people: Catalogue = {
  ...catalogue,
  operators: new Map([
    [OLGA, { id: OLGA, roles: ['approver'], groups: ['finance'] }],
    [PAVEL, { id: PAVEL, roles: ['approver'], groups: [] }],
    [MARIA, { id: MARIA, roles: ['approver', 'operator'] }],
    [NADIA, { id: NADIA, roles: ['operator'] }],
    [ROBOT, { id: ROBOT, roles: ['approver', 'operator'] }],
  ]),
};
const asks = (approval: string) =>
  judge({
    call: {
      decision: 'approval_required',
      obligations: { ttlMs: null, approval, rowFilters: [] },
      reasons: ['why'],
    },
  });
export const approvals = (change: Partial<ApprovalFacts> = {}): ApprovalFacts => ({
  rules: { expiresMs: 900_000, maxOpenPerAgent: 2 },
  newApprovalId: 'approval-1',
  openOfAgent: 0,
  given: null,
  ...change,
});

export function ask(
  approval = 'one-person',
  {
    facts = {},
    change = {},
    given = {},
  }: {
    facts?: Partial<Parameters<typeof callFacts>[0]>;
    change?: Partial<ToolCalled>;
    given?: Partial<ApprovalFacts>;
  } = {},
) {
  const result = decideCall(
    call(change),
    sender(ANALYST),
    callFacts({ catalogue: people, judge: asks(approval), approvals: approvals(given), ...facts }),
  );
  if (result.is === 'rejected') throw new Error(result.refusal.code);
  return result;
}

export function requested(approval = 'one-person', options: Parameters<typeof ask>[1] = {}): Approval {
  const event = ask(approval, options).requested;
  if (event === null) throw new Error('nothing was requested');
  return approvalOf(event);
}

const facts = (change: Partial<AnswerFacts> = {}): AnswerFacts => ({
  catalogue: people,
  chain: [openTask()],
  policySet: 'sha256:policy',
  mayApprove: () => true,
  leaseId: null,
  nowMs: NOW + 1_000,
  ...change,
});
export const grant = (by: string, change: object = {}): Answer => ({
  is: 'grant',
  by,
  callDigest: `sha256:${HASH}`,
  ...change,
});
export const after = (approval: Approval, ...events: ApprovalEvent[]) =>
  events.reduce(evolveApproval, approval);
export const answered = (approval: Approval, answer: Answer, change: Partial<AnswerFacts> = {}) =>
  decideAnswer(approval, answer, facts(change));
export const codeOf = (...args: Parameters<typeof answered>) => {
  const result = answered(...args);
  return result.is === 'rejected' ? result.refusal.code : result.events.map(({ type }) => type).join();
};
export const granted = (approval: Approval, ...by: string[]) =>
  by.reduce((so, each) => after(so, ...answered(so, grant(each)).events), approval);
