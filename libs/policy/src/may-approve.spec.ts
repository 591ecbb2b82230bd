import { mayApprove } from './may-approve.js';
import { parsePolicies } from './parse-policies.js';
import { readFileSync } from 'node:fs';

const MARIA = 'user:maria@corp.example';
const OLGA = 'user:olga@corp.example';
const schema = {
  file: 'schema.cedarschema',
  text: readFileSync('deploy/sample/policy/schema.cedarschema', 'utf8'),
};
const withPolicies = (text: string) => parsePolicies(schema, [{ file: 'people.cedar', text }]);
const asked = (person: string) => ({
  person,
  task: {
    ...{ taskId: 't', orchestrator: 'spiffe://dev.mayfly/orchestrator/sample', onBehalfOf: MARIA },
    ...{ purpose: 'p', risk: 'low', deadlineMs: 1, depth: 0, maxCalls: 1, maxRows: 1 },
  },
  atMs: Date.parse('2026-11-24T12:00:00.000Z'),
});
const ANYONE_ELSE = `
  @id("task.approve") @reason("anyone but the person the task runs for")
  permit (principal, action == Mayfly::Action::"approve", resource) unless { resource.onBehalfOf == principal };`;

it('is yes where no policy speaks of approving', () => {
  const silent = withPolicies(
    `@id("some.forbid") @reason("r") forbid (principal, action == Mayfly::Action::"callTool", resource);`,
  );
  expect(mayApprove(silent, asked(MARIA))).toBe(true);
});

it('is what policy says, where one does', () => {
  const policies = withPolicies(ANYONE_ELSE);
  expect(mayApprove(policies, asked(OLGA))).toBe(true);
  expect(mayApprove(policies, asked(MARIA))).toBe(false);
});

it('is no where policies speak of it and none permits', () => {
  const policies = withPolicies(
    `@id("nobody") @reason("nobody approves") forbid (principal, action == Mayfly::Action::"approve", resource);`,
  );
  expect(mayApprove(policies, asked(OLGA))).toBe(false);
});
