import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import { ordinaryCall } from '../../../../test/support/recorded-calls.mjs';
import { cedar } from '../cedar.js';
import { loadCatalogue } from '../load-catalogue.js';
import { loadPolicies } from '../load-policies.js';
import type { ParsedPolicies } from '../parse-policies.js';
import { PolicySet } from '../policy-set.js';
import type { RecordedCall } from '../replay/rejudge.js';
import { explainCall } from './explain-call.js';

const SAMPLE = 'deploy/sample/policy';
/** Of the sequence of recorded calls. */
const ANALYST_READS = 0;
const PLANNER_READS = 1;
const ANALYST_WRITES = 3;
const ANALYST_READS_SALARIES = 6;

let dir: string;
let catalogue: Catalogue;
let then: PolicySet;
let sample: ParsedPolicies;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mayfly-explain-'));
  catalogue = (await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' })).catalogue;
  then = await PolicySet.load(SAMPLE);
  sample = await loadPolicies(SAMPLE);
});
afterAll(() => rm(dir, { recursive: true }));

const recorded = (n: number): RecordedCall => ordinaryCall(then, catalogue, n);
const near = (call: RecordedCall, check: string) =>
  explainCall(call, sample).near.find((each) => each.check === check)?.permits;

it('names the policies that decided, with what they say and where they stand', () => {
  const {
    checks,
    policySet,
    inputs,
    ttlBy,
    today,
    near: none,
  } = explainCall(recorded(ANALYST_READS), sample);

  expect(checks).toMatchObject([
    { check: 'task_live', ok: true, policies: [] },
    {
      ...{ check: 'tool_policy', ok: true },
      policies: [
        {
          id: 'tools.warehouse',
          today: {
            ...{ effect: 'permit', reason: 'analysts and executors may run warehouse tools', ttlMs: 300_000 },
            place: { file: 'deploy/sample/policy/tools.cedar', line: 3 },
          },
        },
      ],
    },
    { check: 'dataset_policy', ok: true, policies: [{ id: 'data.crm-read' }] },
  ]);
  expect(policySet).toEqual({ then: then.digest, today: then.digest, isSame: true });
  expect(inputs).toMatchObject({ state: 'kept', kept: { tool: {}, dataset: {} } });
  expect(ttlBy).toEqual([]);
  expect(today).toMatchObject({ decision: 'permit' });
  expect(none).toEqual([]);
});

it('names the permits that set the time to live', () => {
  const call = recorded(ANALYST_READS);
  const obliged = { ...call, decided: { ...call.decided, obligations: { ttlMs: 300_000, approval: null } } };

  expect(explainCall(obliged, sample).ttlBy).toEqual(['tools.warehouse', 'data.crm-read']);
});

it('names the forbids that ask for an approval', () => {
  const call = recorded(ANALYST_WRITES);
  const obliged = {
    ...call,
    decided: { ...call.decided, obligations: { ttlMs: null, approval: 'one-person' } },
  };

  expect(explainCall(obliged, sample)).toMatchObject({
    decided: { decision: 'approval_required' },
    approvalBy: ['guard.write-approval'],
    near: [],
  });
});

it('names the guard that forbade, and looks for no permit, for none would have helped', () => {
  const { checks, near: none } = explainCall(recorded(ANALYST_READS_SALARIES), sample);

  expect(checks.at(-1)).toMatchObject({
    ok: false,
    policies: [{ id: 'guard.salaries', today: { effect: 'forbid' } }],
  });
  expect(none).toEqual([]);
});

describe('where nothing permitted, the permits that come near are told', () => {
  it('with the condition that does not hold', () => {
    expect(near(recorded(PLANNER_READS), 'tool_policy')).toEqual([
      {
        ...{ id: 'tools.warehouse', reason: 'analysts and executors may run warehouse tools' },
        ...{ place: { file: 'deploy/sample/policy/tools.cedar', line: 3 }, isForOthers: false },
        failing: [expect.stringMatching(/^when \{.*AgentGroup::"analysts".*AgentGroup::"executors".*\}$/)],
      },
    ]);
  });

  it('or whom they are for', () => {
    expect(near(recorded(PLANNER_READS), 'dataset_policy')).toMatchObject([
      { id: 'data.crm-read', isForOthers: true, failing: [] },
      { id: 'data.orders-read', isForOthers: true, failing: [] },
    ]);
  });
});

describe('by other policies than those that decided', () => {
  let other: ParsedPolicies;
  beforeAll(async () => {
    await cp(SAMPLE, dir, { recursive: true });
    await writeFile(
      join(dir, 'tools.cedar'),
      '@id("tools.all") @reason("anybody may")\npermit (principal, action == Mayfly::Action::"callTool", resource);\n',
    );
    other = await loadPolicies(dir);
  });

  it('what is not there any more is said to be so, and what they would decide is told', () => {
    const call = recorded(ANALYST_READS);
    const obliged = {
      ...call,
      decided: { ...call.decided, obligations: { ttlMs: 300_000, approval: null } },
    };

    expect(explainCall(obliged, other)).toMatchObject({
      policySet: { then: then.digest, today: other.digest, isSame: false },
      checks: [{}, { policies: [{ id: 'tools.warehouse', today: null }] }, {}],
      // A text of the same name may be another one.
      ttlBy: null,
      today: { decision: 'permit' },
    });
  });

  it('a permit that holds by now is told as one', () => {
    const found = explainCall(recorded(PLANNER_READS), other).near.find(
      ({ check }) => check === 'tool_policy',
    );

    expect(found?.permits).toMatchObject([{ id: 'tools.all', isForOthers: false, failing: [] }]);
  });
});

describe('what is not known is not guessed', () => {
  it('inputs that are gone', () => {
    const {
      inputs,
      today,
      near: none,
      checks,
    } = explainCall({ ...recorded(PLANNER_READS), inputs: null }, sample);

    expect(inputs).toEqual({ state: 'gone', kept: null });
    expect({ today, none }).toEqual({ today: null, none: [] });
    expect(checks).toHaveLength(3);
  });

  it('inputs that somebody changed', () => {
    const call = recorded(PLANNER_READS);
    const inputs = structuredClone(call.inputs!);
    inputs.tool.context['verb'] = 'write';

    expect(explainCall({ ...call, inputs }, sample)).toMatchObject({
      inputs: { state: 'altered', kept: null },
      today: null,
      near: [],
    });
  });

  it('a call that a wall refused, which policy was never asked about', () => {
    const { decided } = recorded(ANALYST_READS);
    const { inputs: _asked, ...walled } = decided;
    const checks = [{ check: 'in_declaration', ok: false, reason: 'outside' }];

    expect(explainCall({ decided: { ...walled, checks }, inputs: null }, sample)).toMatchObject({
      inputs: { state: 'none' },
      checks: [{ check: 'in_declaration', ok: false, policies: [] }],
      today: null,
    });
  });

  it('policies of today that cannot be read', () => {
    expect(explainCall(recorded(PLANNER_READS), null)).toMatchObject({
      policySet: { today: null, isSame: null },
      today: null,
      near: [],
      inputs: { state: 'kept' },
    });
  });

  it('facts that do not fit the schema of today', () => {
    const schema = sample.schema.replace('drift: Long', 'drift: String');
    const read = cedar.schemaToJson(schema);
    if (schema === sample.schema || read.type === 'failure') throw new Error('no other schema');

    const explained = explainCall(recorded(PLANNER_READS), { ...sample, schema, schemaJson: read.json });

    expect(explained.near.find(({ check }) => check === 'tool_policy')?.permits).toBeNull();
    expect(explained.today).toMatchObject({ code: 'ERR_POLICY_FAILED' });
  });
});
