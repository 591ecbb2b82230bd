import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import { ordinaryRequestOf, recordedCall } from '../../../../test/support/recorded-calls.mjs';
import type { CallInputs } from '../decision-inputs.js';
import { loadCatalogue } from '../load-catalogue.js';
import { type CallRequest, PolicySet } from '../policy-set.js';
import { DisagreementError, rejudge, type RecordedCall } from './rejudge.js';

const SAMPLE = 'deploy/sample/policy';
let dir: string;
let catalogue: Catalogue;
let sample: PolicySet;
let stricter: PolicySet;
let calls: RecordedCall[];
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mayfly-replay-'));
  cpSync(SAMPLE, dir, { recursive: true });
  const guards = join(dir, 'guards.cedar');
  writeFileSync(
    guards,
    `${readFileSync(guards, 'utf8')}\n@id("no-orders") @reason("orders are closed")\nforbid (principal, action == Mayfly::Action::"readDataset", resource == Mayfly::Dataset::"crm.orders");\n`,
  );
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
  sample = await PolicySet.load(SAMPLE);
  calls = Array.from({ length: 400 }, (_, n) => recordedCall(sample, catalogue, n));
  stricter = await PolicySet.load(dir);
});
afterAll(() => rmSync(dir, { recursive: true }));

const first = (where: Partial<RecordedCall['decided']>): RecordedCall => {
  const found = calls.find(({ decided }) =>
    Object.entries(where).every(([member, value]) => decided[member as keyof typeof decided] === value),
  );
  if (found === undefined) throw new Error('no such call was recorded');
  return found;
};

it('by the same policies every call is decided as it was', () => {
  expect(new Set(calls.map((call) => rejudge(sample, call).is))).toEqual(new Set(['same']));
});

it('calls from before a fact was there are decided as they were, by rules that ask for it', async () => {
  const before = mkdtempSync(join(dir, 'before-'));
  cpSync(SAMPLE, before, { recursive: true });
  rmSync(join(before, 'behaviour.cedar'));
  const schema = join(before, 'schema.cedarschema');
  const optional = /^ +(?!dataset)\w+\?: .*,$|, trust\?: Long/gm;
  writeFileSync(schema, readFileSync(schema, 'utf8').replace(optional, ''));
  const untrusted = [...catalogue.agents].map(([id, { trust: _trust, ...agent }]) => [id, agent] as const);
  const then = { ...catalogue, agents: new Map(untrusted) };
  const older = await PolicySet.load(before);
  const old = Array.from({ length: 120 }, (_, n) => recordedCall(older, then, n));

  expect(JSON.stringify(old.map(({ inputs }) => inputs))).not.toMatch(
    /refused|callsOf|startedAt|objective|trust|model/,
  );
  expect(new Set(old.map((call) => rejudge(sample, call).is))).toEqual(new Set(['same']));
});

it('calls are decided again on the counts, the trust and the model of their moment', async () => {
  const strict = mkdtempSync(join(dir, 'strict-'));
  cpSync(SAMPLE, strict, { recursive: true });
  writeFileSync(
    join(strict, 'strict.cedar'),
    `@id("strict") @reason("one denial is too many")
     forbid (principal, action == Mayfly::Action::"callTool", resource)
     when { context.now has refused && context.now.refused > 0 && context has modelName && principal has trust };`,
  );
  const request = ordinaryRequestOf(catalogue, 0);
  const denied = { ...request, model: { name: 'reader' }, now: { ...request.now, refused: 1 } };
  const again = await PolicySet.load(strict);
  const decide = (call: CallRequest) =>
    again.replayCall(sample.decideCall(call).inputs as CallInputs).decision;

  expect(decide(request)).toBe('permit');
  expect(decide(denied)).toBe('deny');
});

it('by one rule more exactly those flip that it is about, with both reasons', () => {
  const flipped = calls.flatMap((call) => {
    const rejudged = rejudge(stricter, call);
    return rejudged.is === 'flip' ? [rejudged.flip] : [];
  });
  const expected = calls.filter(
    ({ decided: { dataset, action, decision } }) =>
      dataset === 'crm.orders' && action === 'read' && decision !== 'deny',
  );

  expect(expected.length).toBeGreaterThan(0);
  expect(flipped.map(({ call }) => call.callId)).toEqual(expected.map(({ decided }) => decided.callId));
  expect(flipped[0]).toMatchObject({
    policySet: sample.digest,
    before: {
      decision: 'permit',
      code: null,
      policies: expect.not.arrayContaining(['no-orders']) as unknown,
    },
    after: { decision: 'deny', code: 'ERR_DATASET_FORBIDDEN', reasons: ['orders are closed'] },
  });
});

it('a call that a wall refused was never put to policy', () => {
  const { decided } = first({ decision: 'permit' });
  const { inputs: _inputs, ...walled } = decided;
  expect(rejudge(stricter, { decided: { ...walled, decision: 'deny' }, inputs: null })).toEqual({
    is: 'not_policy',
  });
});

it('a call that policy permitted and the target could not enforce is no flip', () => {
  const { decided, inputs } = first({ decision: 'permit' });
  const refused = { ...decided, decision: 'deny' as const, code: 'ERR_POLICY_FAILED' as const };
  expect(rejudge(sample, { decided: refused, inputs })).toMatchObject({ is: 'same' });
});

it('a call whose inputs are gone is counted as that', () => {
  expect(rejudge(sample, { ...first({ decision: 'permit' }), inputs: null })).toEqual({ is: 'inputs_gone' });
});

it('inputs that are not those of the decision are not decided on', () => {
  const [one, other] = [first({ decision: 'permit' }), first({ decision: 'deny' })];
  expect(rejudge(sample, { decided: one.decided, inputs: other.inputs })).toMatchObject({
    is: 'inputs_altered',
    call: { callId: one.decided.callId },
  });
});

it('the engine decides again what flips, and a sample of the rest', () => {
  const byEngine = (set: PolicySet) =>
    calls.map((call) => rejudge(set, call)).filter((each) => each.is === 'same' && each.byEngine).length;
  const asked: string[] = [];
  const watched = {
    presumeCall: stricter.presumeCall.bind(stricter),
    replayCall: (...[inputs, digest]: Parameters<PolicySet['replayCall']>) => {
      asked.push(digest ?? '');
      return stricter.replayCall(inputs, digest);
    },
  };
  const flips = calls.filter((call) => rejudge(watched, call).is === 'flip');

  expect(asked).toEqual(expect.arrayContaining(flips.map(({ decided }) => decided.inputs)));
  expect(byEngine(sample)).toBeGreaterThan(0);
  expect(byEngine(sample)).toBeLessThan(calls.length / 10);
});

it('where the compiled policies say otherwise than the engine, nothing that they said is relied on', () => {
  const permitted = first({ decision: 'permit' });
  const wrong = {
    presumeCall: () => sample.replayCall(first({ decision: 'deny' }).inputs!),
    replayCall: sample.replayCall.bind(sample),
  };
  expect(() => rejudge(wrong, permitted)).toThrow(DisagreementError);
});
