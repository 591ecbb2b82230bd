/** Requests as `decideCall` makes them, and some that do not fit the schema. */
import fc from 'fast-check';
import { type CedarRequest, entityRef, uid } from '../src/cedar-request.js';

const small = fc.integer({ min: 0, max: 4 });
export const one = <T>(...values: T[]) => fc.constantFrom(...values);
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
export const request: fc.Arbitrary<CedarRequest> = fc
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
export const anyRequest = fc.oneof(
  { weight: 6, arbitrary: request },
  {
    weight: 1,
    arbitrary: fc.tuple(request, damage).map(([given, change]) => change(given)),
  },
);
