import { readFileSync } from 'node:fs';
import { parsePolicies } from './parse-policies.js';
import { PolicyError, policyErrorLines } from './policy-error.js';

const SCHEMA = readFileSync('deploy/sample/policy/schema.cedarschema', 'utf8')
  .replace('entity Human;', 'entity Human { team: String };')
  .replace('entity AgentGroup in [AgentGroup];', 'entity AgentGroup in [AgentGroup] { team: String };')
  .replace('entity Tool in [ToolGroup] {', 'entity Tool in [ToolGroup] { keeper: Agent,');
const OVERFLOWS =
  'can overflow, and a forbid that fails forbids nothing; compare the fact with a number that you have worked out, as in `context.now.calls >= 90`, or do the sum in a permit (ERR_POLICY_FAIL_OPEN)';
const unsent = (what: string, type: string, attr: string) =>
  `\`${what}\` is a \`${type}\` that the call does not send, and a forbid that cannot read its \`${attr}\` forbids nothing; ` +
  'compare the entity itself with `==`, or read `principal`, `resource`, or the agent, tool or dataset in `context` (ERR_POLICY_FAIL_OPEN)';

/** What is said of one policy, whose conditions are on its third line. */
function problemsOf(
  conditions: string,
  { effect = 'forbid', action = 'action == Mayfly::Action::"writeDataset"' } = {},
): string[] {
  const text = `@id("guard") @reason("not so - often + now") // a - b\n${effect} (principal, ${action}, resource)\n${conditions};`;
  try {
    parsePolicies({ file: 'schema.cedarschema', text: SCHEMA }, [{ file: 'p.cedar', text }]);
  } catch (error) {
    if (error instanceof PolicyError) return policyErrorLines(error);
    throw error;
  }
  return [];
}

describe('integer arithmetic in a forbid', () => {
  it.each([
    ['+', 'when { context.now.calls + 1 > context.task.maxCalls }', 26],
    ['-', 'when { context.task.maxCalls - context.now.calls < 1 }', 30],
    ['*', 'when { 10 * context.now.calls > 90 }', 11],
    ['-', 'when { -context.now.calls < -90 }', 8],
    ['+', 'unless { context.now.calls < 3 || (context.now.rows + 1) < 90 }', 53],
    ['*', 'when { [1, context.now.calls * 2].contains(4) }', 30],
    ['+', 'when { if context.now.calls < 1 then false else context.now.rows + 1 > 9 }', 66],
  ])('is refused: `%s` in `%s`', (sign, conditions, column) => {
    expect(problemsOf(conditions)).toEqual([`p.cedar:3:${column}: \`${sign}\` ${OVERFLOWS}`]);
  });

  it('is refused wherever it stands, all at once', () => {
    expect(
      problemsOf(
        'when { context.now.calls - -1 > 3 + context.now.rows * 2 }\nunless { context.now.rows - 1 == 0 }',
      ),
    ).toEqual([
      `p.cedar:3:26: \`-\` ${OVERFLOWS}`,
      `p.cedar:3:35: \`+\` ${OVERFLOWS}`,
      `p.cedar:3:54: \`*\` ${OVERFLOWS}`,
      `p.cedar:4:27: \`-\` ${OVERFLOWS}`,
    ]);
  });

  it.each([
    ['a negative number', 'when { context.now.drift > -1 }'],
    ['a sign in a text', 'when { context.task.purpose like "a+b-c*" }'],
    [
      'a sign in a comment',
      'when { context.now.drift > 3 /* is no operator in Cedar */ }'.replace(/\/\*.*\*\//, '// 3 + 4\n'),
    ],
    [
      'a difference of times',
      'when { context.task.deadline.durationSince(context.now.at) < duration("1m") }',
    ],
  ])('is not %s', (_what, conditions) => {
    expect(problemsOf(conditions)).toEqual([]);
  });

  it('is allowed in a permit, which permits nothing when it fails', () => {
    expect(problemsOf('when { context.now.calls + 1 < 90 }', { effect: 'permit' })).toEqual([]);
  });
});

describe('a fact that may not be there', () => {
  it.each([
    ['of this moment', 'when { context.now.refused >= 10 }', 'refused'],
    [
      'of the task',
      'when { context.now.callsLastMinute >= context.task.maxCallsPerMinute }',
      'maxCallsPerMinute',
    ],
    ['of the agent', 'when { principal.trust < 30 }', 'trust'],
    ['of the call', 'unless { context.modelExpected }', 'modelExpected'],
    ['asked for too late', 'when { context.now.refused >= 10 && context.now has refused }', 'refused'],
    ['asked for of another', 'when { context.task has startedAt && context.now.refused >= 10 }', 'refused'],
  ])('is refused in a forbid that does not ask for it first: %s', (_what, conditions, attr) => {
    const problems = problemsOf(conditions);

    expect(problems).toEqual([expect.stringContaining(attr)]);
    expect(problems[0]).toMatch(/^p\.cedar:3:\d+: .*optional.*\(ERR_POLICY_INVALID\)$/);
  });

  it.each([
    ['of this moment', 'when { context.now has refused && context.now.refused >= 10 }'],
    ['of the agent', 'when { principal has trust && principal.trust < 30 }'],
    ['of the call', 'unless { context has modelExpected && context.modelExpected }'],
    ['a time', 'when { context.task has startedAt && context.task.startedAt < context.now.at }'],
    ['in a path', 'when { context has now.refused && context.now.refused >= 10 }'],
  ])('is taken where the forbid asks for it first: %s', (_what, conditions) => {
    expect(problemsOf(conditions)).toEqual([]);
  });

  it('is no reason to do sums with it', () => {
    expect(
      problemsOf('when { context.now has refused && context.now.refused * 2 > context.now.calls }'),
    ).toEqual([`p.cedar:3:55: \`*\` ${OVERFLOWS}`]);
  });
});

describe('an attribute of an entity that the call does not send', () => {
  it.each([
    [
      'a person',
      'when { context.task.onBehalfOf.team == "sales" }',
      32,
      unsent('context.task.onBehalfOf', 'Mayfly::Human', 'team'),
    ],
    [
      'a person, if there is one',
      'when { context.task.onBehalfOf has team }',
      36,
      unsent('context.task.onBehalfOf', 'Mayfly::Human', 'team'),
    ],
    [
      'a group that is named',
      'unless { Mayfly::AgentGroup::"analysts".team == "sales" }',
      41,
      unsent('Mayfly::AgentGroup::"analysts"', 'Mayfly::AgentGroup', 'team'),
    ],
    [
      'an agent that is named',
      'when { Mayfly::Agent::"spiffe://dev.mayfly/agent/analyst".owner == "x" }',
      59,
      unsent('Mayfly::Agent::"spiffe://dev.mayfly/agent/analyst"', 'Mayfly::Agent', 'owner'),
    ],
    [
      'an entity that another names',
      'when { context.tool.keeper.owner == principal.owner }',
      28,
      unsent('context.tool.keeper', 'Mayfly::Agent', 'owner'),
    ],
    [
      'the one or the other',
      'when { (if context.now.drift > 1 then context.task.onBehalfOf else Mayfly::Human::"user:a@b.c")["team"] == "x" }',
      97,
      unsent('(…)', 'Mayfly::Human', 'team'),
    ],
  ])('is refused in a forbid: of %s', (_what, conditions, column, said) => {
    expect(problemsOf(conditions)).toEqual([`p.cedar:3:${column}: ${said}`]);
  });

  it('is refused of the person who approves, too', () => {
    const action = 'action == Mayfly::Action::"approve"';

    expect(
      problemsOf('when { principal.team == "sales" && resource.onBehalfOf == principal }', { action }),
    ).toEqual([`p.cedar:3:18: ${unsent('principal', 'Mayfly::Human', 'team')}`]);
  });

  it.each([
    ['the principal and the resource', 'when { principal.owner == "x" && resource.pii }'],
    ['what the context names', 'when { context.tool.risk > 50 && context.tool has keeper }'],
    ['a person who is only compared', 'when { context.now.approvers.contains(context.task.onBehalfOf) }'],
  ])('is not one of %s', (_what, conditions) => {
    expect(problemsOf(conditions)).toEqual([]);
  });

  it('is allowed in a permit, which permits nothing when it fails', () => {
    expect(problemsOf('when { context.task.onBehalfOf.team == "sales" }', { effect: 'permit' })).toEqual([]);
  });
});
