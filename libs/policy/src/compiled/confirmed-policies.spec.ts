/** Who decides a call: the engine, or compiled policies that it has confirmed. */
import type { Catalogue } from '#events/catalogue.js';
import { requestOf } from '../../../../test/support/recorded-calls.mjs';
import { type CedarRequest, entityRef, uid } from '../cedar-request.js';
import { evaluate, type Evaluate, type Evaluation } from '../evaluate.js';
import { loadCatalogue } from '../load-catalogue.js';
import { loadPolicies } from '../load-policies.js';
import type { ParsedPolicies } from '../parse-policies.js';
import { PolicySet } from '../policy-set.js';
import { type Confirming, type Disagreement, evaluationBy } from './confirmed-policies.js';

const SAMPLE = 'deploy/sample/policy';
const at = { __extn: { fn: 'datetime', arg: '2026-01-05T12:00:00.000Z' } };
const deadline = { __extn: { fn: 'datetime', arg: '2026-01-05T13:00:00.000Z' } };

let policies: ParsedPolicies;
let catalogue: Catalogue;
beforeAll(async () => {
  policies = await loadPolicies(SAMPLE);
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
});

/** An analyst reads orders, after so many calls. */
function reading(calls: number, dataset = 'crm.orders', more: object = {}): CedarRequest {
  const principal = uid('Agent', 'spiffe://dev.mayfly/agent/analyst');
  const maria = entityRef('Human', 'user:maria@corp.example');
  return {
    ...{ principal, action: uid('Action', 'readDataset'), resource: uid('Dataset', dataset) },
    context: {
      task: {
        ...{ onBehalfOf: maria, purpose: 'close', risk: 'low', deadline },
        ...{ depth: 0, maxCalls: 100, maxRows: 100 },
      },
      now: {
        ...{ at, drift: 0, calls, callsLastMinute: 0, rows: 0, renewals: 0 },
        ...{ approval: 'none', approvers: [], approverCount: 0 },
        ...more,
      },
      tool: entityRef('Tool', 'sql.query'),
    },
    entities: [
      {
        uid: principal,
        attrs: { owner: 'o', environment: 'production', attested: true },
        parents: [uid('AgentGroup', 'analysts')],
      },
      { uid: uid('Tool', 'sql.query'), attrs: { risk: 1, external: false }, parents: [] },
      {
        uid: uid('Dataset', dataset),
        attrs: {
          ...{ classification: entityRef('Classification', 'internal'), residency: 'eu', pii: false },
        },
        parents: [uid('Domain', 'crm')],
      },
    ],
  };
}

/** @param says what the engine says instead of what it would */
function world({
  draw = 1,
  confirmOneIn = 2,
  says,
}: { draw?: number; confirmOneIn?: number; says?: Evaluation } = {}) {
  const told: Disagreement[] = [];
  const confirming: Confirming & { draw: () => number } = {
    ...{ confirmOneIn, isTrusted: true, draw: () => draw },
    onDisagreement: (about) => told.push(about),
  };
  const engine = { asked: 0, says };
  const judge: Evaluate = (set, request) => {
    engine.asked += 1;
    return engine.says ?? evaluate(set, request);
  };
  return { told, confirming, engine, ask: (set = policies) => evaluationBy(set, confirming, judge) };
}

const PERMIT: Evaluation = { outcome: 'permit', policies: ['data.crm-read'] };
const DENY: Evaluation = { outcome: 'deny', policies: ['guard.budget'] };

it('asks the engine once of a situation, and then compiled policies', () => {
  const { engine, ask } = world();
  const decide = ask();
  expect([1, 2, 3].map((calls) => decide(policies, reading(calls)))).toEqual([PERMIT, PERMIT, PERMIT]);
  expect(engine.asked).toBe(1);
});

it.each<[string, CedarRequest]>([
  ['of another dataset', reading(1, 'crm.customers')],
  ['with another answer', reading(100)],
])('asks the engine in a situation %s', (_which, request) => {
  const { engine, ask } = world();
  const decide = ask();
  decide(policies, reading(1));
  decide(policies, request);
  expect(engine.asked).toBe(2);
});

it('asks the engine in a known situation where it is drawn', () => {
  const { confirming, engine, ask } = world();
  const decide = ask();
  decide(policies, reading(1));
  confirming.draw = () => 0.49;
  decide(policies, reading(1));
  expect(engine.asked).toBe(2);
  confirming.draw = () => 0.5;
  decide(policies, reading(1));
  expect(engine.asked).toBe(2);
});

it('asks the engine always where it is to confirm one in one', () => {
  const { engine, ask } = world({ confirmOneIn: 1, draw: 0.999 });
  const decide = ask();
  for (const calls of [1, 2, 3]) decide(policies, reading(calls));
  expect(engine.asked).toBe(3);
});

it('leaves to the engine what compiled policies do not know', () => {
  const { engine, told, ask } = world();
  const decide = ask();
  for (const calls of [1, 2])
    expect(decide(policies, reading(calls, 'crm.orders', { weather: 'fine' }))).toEqual(
      evaluate(policies, reading(calls, 'crm.orders', { weather: 'fine' })),
    );
  expect([engine.asked, told.length]).toEqual([2, 0]);
});

it('does as the engine says where they differ, tells it once, and asks only the engine from then on', () => {
  const { engine, told, confirming, ask } = world({ says: DENY });
  const decide = ask();
  expect([1, 2].map((calls) => decide(policies, reading(calls)))).toEqual([DENY, DENY]);
  expect(told).toEqual([{ action: 'readDataset', presumed: PERMIT, judged: DENY }]);
  expect([engine.asked, confirming.isTrusted]).toEqual([2, false]);
});

it('finds by a draw what is different in a known situation', () => {
  const { engine, told, confirming, ask } = world();
  const decide = ask();
  decide(policies, reading(1));
  engine.says = DENY;
  expect(decide(policies, reading(2))).toEqual(PERMIT);
  confirming.draw = () => 0;
  expect(decide(policies, reading(3))).toEqual(DENY);
  expect(told).toHaveLength(1);
  expect(decide(policies, reading(4))).toEqual(DENY);
});

it('takes other determining policies for a disagreement', () => {
  const { told, ask } = world({ says: { outcome: 'permit', policies: ['data.orders-read'] } });
  ask()(policies, reading(1));
  expect(told).toHaveLength(1);
});

it('takes an engine that fails for a disagreement, and denies as it does', () => {
  const failed: Evaluation = { outcome: 'failed', problem: 'the policy engine failed', policies: [] };
  const { told, ask } = world({ says: failed });
  expect(ask()(policies, reading(1))).toEqual(failed);
  expect(told).toHaveLength(1);
});

it('does not believe compiled policies of another set, either, once they were wrong', () => {
  const { engine, ask } = world({ says: DENY });
  ask()(policies, reading(1));
  engine.says = undefined;
  const next = ask({ ...policies });
  for (const calls of [1, 2]) next(policies, reading(calls));
  expect(engine.asked).toBe(3);
});

it('asks only the engine where policies cannot be compiled, and tells it once', () => {
  const { engine, told, ask } = world({ says: PERMIT });
  const broken = { ...policies, contents: new Map([['a', '{}']]) };
  const decide = ask(broken);
  expect([1, 2].map((calls) => decide(policies, reading(calls)).outcome)).toEqual(['permit', 'permit']);
  expect(told).toEqual([{ action: 'readDataset', presumed: null, judged: null }]);
  expect(engine.asked).toBe(2);
});

it('decides calls to the word as the engine alone does, over 1,500 of them', async () => {
  const { told, confirming } = world({ confirmOneIn: 50 });
  confirming.draw = Math.random;
  const alone = await PolicySet.load(SAMPLE);
  const confirmed = await PolicySet.load(SAMPLE, undefined, confirming);
  for (let n = 0; n < 1_500; n += 1) {
    const request = requestOf(catalogue, n);
    expect(confirmed.decideCall(request)).toEqual(alone.decideCall(request));
  }
  expect(told).toEqual([]);
});
