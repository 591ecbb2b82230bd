/** Policies over all that may be compiled, and a little that may not. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { type ParsedPolicies, parsePolicies } from '../src/parse-policies.js';
import { PolicyError } from '../src/policy-error.js';
import { one } from './random-requests.js';

export const SAMPLE = 'deploy/sample/policy';
const schema = { file: 'schema.cedarschema', text: readFileSync(`${SAMPLE}/schema.cedarschema`, 'utf8') };

const whole = one(
  'context.now.calls',
  'context.now.rows',
  'context.task.depth',
  'context.now.drift',
  '0',
  '2',
  '80',
);
const time = one('context.now.at', 'context.task.deadline', 'datetime("2026-01-05T07:00:00.000Z")');
const span = fc.oneof(
  fc.tuple(time, time).map(([a, b]) => `${a}.durationSince(${b})`),
  time.map((at) => `${at}.toTime()`),
  one('duration("10s")', 'duration("7h")', 'duration("1d2h3m4s5ms")'),
);
const compare = one('<', '<=', '>', '>=', '==', '!=');
const compared = (side: fc.Arbitrary<string>) =>
  fc.tuple(side, compare, side).map(([a, op, b]) => `${a} ${op} ${b}`);
const human = one('context.task.onBehalfOf', 'Mayfly::Human::"user:maria@corp.example"');
const fact = fc.oneof(
  compared(whole),
  compared(time),
  compared(span),
  one(
    'context.task.risk == "high"',
    'context.now.approval != "approved"',
    'principal.owner == context.task.purpose',
  ),
  one(
    '(context has modelExpected && !context.modelExpected)',
    '(context has modelName && context.modelName == "m")',
    '(context.now has refused && context.now.refused >= 10)',
    '(context.task has startedAt && context.now.at.durationSince(context.task.startedAt) > duration("1h"))',
    '(principal has trust && principal.trust < 30)',
    'context.task has maxCallsPerMinute',
  ),
  human.map((who) => `context.now.approvers.contains(${who})`),
  fc
    .tuple(one('All', 'Any'), human, human)
    .map(([how, a, b]) => `context.now.approvers.contains${how}([${a}, ${b}])`),
  one('context.now.approvers.isEmpty()', 'principal.attested', 'true', 'false'),
  one('principal in Mayfly::AgentGroup::"analysts"', 'action in Mayfly::Action::"dataAccess"'),
  one(
    'principal in [Mayfly::AgentGroup::"planners", Mayfly::Agent::"executor"]',
    'principal is Mayfly::Agent',
  ),
  one('resource == Mayfly::Dataset::"orders"', 'resource is Mayfly::Tool', 'principal has owner'),
  // Not compiled: left to the engine.
  one('context.now.calls + 9223372036854775806 > 1', 'principal.owner like "user:*"'),
);
const condition = fc.letrec<{ expr: string }>((tie) => ({
  expr: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fact,
    fc.tuple(tie('expr'), one('&&', '||'), tie('expr')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie('expr').map((inner) => `!(${inner})`),
    fc.tuple(tie('expr'), tie('expr'), tie('expr')).map(([a, b, c]) => `(if ${a} then ${b} else ${c})`),
  ),
})).expr;
export const policy = fc.record({
  effect: one('permit', 'permit', 'forbid'),
  principal: one('principal', 'principal in Mayfly::AgentGroup::"analysts"', 'principal is Mayfly::Agent'),
  action: one(
    'action',
    'action == Mayfly::Action::"callTool"',
    'action in Mayfly::Action::"agentAction"',
    'action in [Mayfly::Action::"readDataset", Mayfly::Action::"writeDataset"]',
  ),
  resource: one('resource', 'resource == Mayfly::Dataset::"orders"', 'resource in Mayfly::ToolGroup::"mail"'),
  kind: one('when', 'unless'),
  condition,
});

/** Undefined for what Mayfly would not load: policies that can never hold, or do not fit the schema. */
export function parsed(
  set: { effect: string; kind: string; condition: string; [scope: string]: string }[],
): ParsedPolicies | undefined {
  const text = set
    .map(
      ({ effect, principal, action, resource, kind, condition: body }, n) =>
        `@id("p${n}") @reason("r") ${effect} (${principal}, ${action}, ${resource}) ${kind} { ${body} };`,
    )
    .join('\n');
  try {
    return parsePolicies(schema, [{ file: 'random.cedar', text }]);
  } catch (error) {
    if (error instanceof PolicyError) return undefined;
    throw error;
  }
}
