/** Compiled policies never say anything else than the engine: over random policies, and random requests that do not always fit the schema. */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { type CedarRequest, entityRef, uid } from '../cedar-request.js';
import { evaluate, type Evaluation } from '../evaluate.js';
import { loadPolicies } from '../load-policies.js';
import { type ParsedPolicies, parsePolicies } from '../parse-policies.js';
import { PolicyError } from '../policy-error.js';
import { ASK_ENGINE } from './ask-engine.js';
import { CompiledPolicies } from './compiled-policies.js';

const SAMPLE = 'deploy/sample/policy';
const schema = { file: 'schema.cedarschema', text: readFileSync(`${SAMPLE}/schema.cedarschema`, 'utf8') };

const small = fc.integer({ min: 0, max: 4 });
const one = <T>(...values: T[]) => fc.constantFrom(...values);
const person = one('maria', 'olga', 'pavel').map((name) => `user:${name}@corp.example`);
const moment = one(
  '2026-01-05T06:59:59.999Z',
  '2026-01-05T07:00:00.000Z',
  '2026-01-05T12:00:00.000Z',
  '1969-12-31T23:00:00.000Z',
).map((arg) => ({ __extn: { fn: 'datetime', arg } }));

/** Members that are always there, and some that may be. */
const record = <A extends object, B extends object>(
  there: { [K in keyof A]: fc.Arbitrary<A[K]> },
  perhaps: { [K in keyof B]: fc.Arbitrary<B[K]> },
) => fc.tuple(fc.record(there), fc.record(perhaps, { requiredKeys: [] })).map(([a, b]) => ({ ...a, ...b }));

const context = record(
  {
    task: record(
      {
        onBehalfOf: person.map((id) => entityRef('Human', id)),
        purpose: one('close', 'Close', ''),
        risk: one('low', 'medium', 'high'),
        deadline: moment,
        ...{ depth: small, maxCalls: one(0, 100, 1_000), maxRows: one(3, 100, 1_000) },
      },
      { objective: one('a'.repeat(64), ''), startedAt: moment, maxCallsPerMinute: one(0, 4, 10, 100) },
    ),
    now: record(
      {
        at: moment,
        ...{ drift: one(0, 60, 80, 81), calls: one(1, 4, 19, 20, 50), callsLastMinute: small, rows: small },
        renewals: small,
        approval: one('none', 'requested', 'approved'),
        approvers: fc.uniqueArray(person).map((ids) => ids.map((id) => entityRef('Human', id))),
        approverCount: small,
      },
      { callsOfTool: one(0, 1, 19, 20), callsOfDataset: small, refused: one(0, 0, 0, 9, 10, 25, 50) },
    ),
  },
  {
    argumentsSha256: one('b'.repeat(64)),
    modelName: one('m', 'n'),
    modelVersion: one('1'),
    modelExpected: one(true, true, true, true, false),
  },
);
const agent = fc.record({
  uid: one(...['analyst', 'executor'].map((id) => uid('Agent', id))),
  attrs: record(
    { owner: person, environment: one('production', 'development'), attested: fc.boolean() },
    { trust: one(0, 29, 30, 80, 90) },
  ),
  parents: fc.subarray(['analysts', 'planners', 'executors'].map((id) => uid('AgentGroup', id))),
});
const tool = fc.record({
  uid: one(uid('Tool', 'sql.query')),
  attrs: fc.record({ risk: one(0, 50, 51), external: fc.boolean() }),
  parents: fc.subarray(['warehouse', 'services', 'mail'].map((id) => uid('ToolGroup', id))),
});
const dataset = fc.record({
  uid: one(...['crm.orders', 'orders'].map((id) => uid('Dataset', id))),
  attrs: fc.record({
    classification: one('internal', 'restricted').map((id) => entityRef('Classification', id)),
    residency: one('eu', 'us'),
    pii: fc.boolean(),
  }),
  parents: fc.subarray(['crm', 'hr', 'services'].map((id) => uid('Domain', id))),
});

/** As `decideCall` makes them. */
const request: fc.Arbitrary<CedarRequest> = fc
  .record({
    action: one('callTool', 'readDataset', 'writeDataset'),
    ...{ context, agent, tool, dataset },
    verb: one('read', 'write'),
  })
  .map(({ action, context: facts, verb, ...they }) => {
    const isTool = action === 'callTool';
    return {
      principal: they.agent.uid,
      action: uid('Action', action),
      resource: isTool ? they.tool.uid : they.dataset.uid,
      context: isTool
        ? { ...facts, verb, dataset: { __entity: they.dataset.uid } }
        : { ...facts, tool: { __entity: they.tool.uid } },
      entities: [they.agent, they.tool, they.dataset],
    };
  });

/** Somebody's facts of another time, or of another schema. */
type Damage = (request: CedarRequest) => CedarRequest;
const inNow =
  (change: object): Damage =>
  (given) => ({
    ...given,
    context: { ...given.context, now: { ...(given.context['now'] as object), ...change } },
  });
const onAgent =
  (change: object): Damage =>
  (given) => ({
    ...given,
    entities: given.entities.map((each, i) => (i === 0 ? { ...each, ...change } : each)),
  });
const damage = one<Damage>(
  inNow({ calls: 1.5 }),
  inNow({ calls: '1' }),
  inNow({ calls: undefined }),
  inNow({ calls: null }),
  inNow({ weather: 'fine' }),
  inNow({ at: '2026-01-05T12:00:00.000Z' }),
  inNow({ at: { __extn: { fn: 'datetime', arg: '2026-01-05' } } }),
  inNow({ at: { __extn: { fn: 'datetime', arg: '2026-02-31T12:00:00.000Z' } } }),
  inNow({ at: { __extn: { fn: 'decimal', arg: '1.0' } } }),
  inNow({ approvers: [entityRef('Agent', 'analyst')] }),
  inNow({ approvers: [{ type: 'Mayfly::Human', id: 'user:maria@corp.example' }] }),
  inNow({ drift: 2 ** 53 }),
  (given) => ({ ...given, context: {} }),
  (given) => ({ ...given, entities: [] }),
  (given) => ({ ...given, entities: given.entities.slice(1) }),
  (given) => ({ ...given, entities: [...given.entities, ...given.entities.slice(0, 1)] }),
  (given) => ({ ...given, principal: uid('Human', 'user:maria@corp.example') }),
  (given) => ({ ...given, action: uid('Action', 'renew') }),
  (given) => ({ ...given, action: uid('Action', 'dataAccess') }),
  (given) => ({ ...given, resource: uid('Tool', 'sql.query') }),
  onAgent({ attrs: {} }),
  onAgent({ attrs: { owner: 'x', environment: 'y', attested: 'yes' } }),
  onAgent({ attrs: { owner: 'x', environment: 'y', attested: true, clearance: 3 } }),
  onAgent({ parents: [uid('Domain', 'crm')] }),
  onAgent({ parents: [uid('Agent', 'analyst')] }),
  onAgent({ tags: { a: 1 } }),
);
const anyRequest = fc.oneof(
  { weight: 6, arbitrary: request },
  {
    weight: 1,
    arbitrary: fc.tuple(request, damage).map(([given, change]) => change(given)),
  },
);

/** The word of the compiled policies; undefined: they leave it to the engine. */
function presumed(compiled: CompiledPolicies, given: CedarRequest): Evaluation | undefined {
  try {
    return compiled.evaluate(given);
  } catch (error) {
    if (error === ASK_ENGINE) return undefined;
    throw error;
  }
}

it('by the sample’s policies, over 6,000 requests', async () => {
  const policies = await loadPolicies(SAMPLE);
  const compiled = new CompiledPolicies(policies);
  const said = { permit: 0, deny: 0, failed: 0 };
  fc.assert(
    fc.property(anyRequest, (given) => {
      const quick = presumed(compiled, given);
      if (quick === undefined) return true;
      said[quick.outcome] += 1;
      return isDeepStrictEqual(quick, evaluate(policies, given));
    }),
    { numRuns: 6_000, seed: 6 },
  );
  expect(said.permit).toBeGreaterThan(200);
  expect(said.deny).toBeGreaterThan(3_000);
  expect(said.failed).toBe(0);
}, 240_000);

it('leaves nothing of what the broker asks to the engine', async () => {
  const compiled = new CompiledPolicies(await loadPolicies(SAMPLE));
  fc.assert(
    fc.property(request, (given) => presumed(compiled, given) !== undefined),
    { numRuns: 500, seed: 6 },
  );
});

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
const policy = fc.record({
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
function parsed(
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

it('by random policies, over 5,000 requests', () => {
  let answered = 0;
  fc.assert(
    fc.property(
      fc.array(policy, { minLength: 1, maxLength: 4 }),
      fc.array(anyRequest, { minLength: 35, maxLength: 35 }),
      (set, requests) => {
        // One that would not be loaded is left out, not all of them.
        const policies = parsed(set.filter((each) => parsed([each]) !== undefined));
        if (policies === undefined) return true;
        const compiled = new CompiledPolicies(policies);
        return requests.every((given) => {
          const quick = presumed(compiled, given);
          if (quick === undefined) return true;
          answered += 1;
          return isDeepStrictEqual(quick, evaluate(policies, given));
        });
      },
    ),
    { numRuns: 200, seed: 6 },
  );
  expect(answered).toBeGreaterThan(5_000);
}, 240_000);
