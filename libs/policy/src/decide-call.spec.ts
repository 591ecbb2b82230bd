import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import type { CallInputs } from './decision-inputs.js';
import { loadCatalogue } from './load-catalogue.js';
import { type CallRequest, PolicySet } from './policy-set.js';

const SAMPLE = 'deploy/sample/policy';
const NOON_MS = Date.UTC(2026, 0, 5, 12);
const agent = (name: string) => `spiffe://dev.mayfly/agent/${name}`;
const task = {
  taskId: '019b8e6a-7400-7000-8000-000000000001',
  orchestrator: 'spiffe://dev.mayfly/orchestrator/sample',
  onBehalfOf: 'user:maria@corp.example',
  purpose: 'Reconcile October invoices',
  risk: 'low',
  deadlineMs: NOON_MS + 3_600_000,
  depth: 0,
  maxCalls: 100,
  maxRows: 10_000,
};
const now = {
  atMs: NOON_MS,
  calls: 0,
  callsLastMinute: 0,
  rows: 0,
  drift: 0,
  renewals: 0,
  approval: 'none',
  approvers: [] as string[],
};

let dir: string;
let catalogue: Catalogue;
let sample: PolicySet;
let read: CallRequest;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mayfly-policy-'));
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
  sample = await PolicySet.load(SAMPLE, catalogue);
  read = {
    catalogue,
    agent: agent('analyst'),
    tool: 'sql.query',
    dataset: 'crm.orders',
    action: 'read',
    task,
    now,
  };
});
afterAll(() => rmSync(dir, { recursive: true }));

/** The sample's schema with policies of a test's own. */
async function setOf(...policies: string[]): Promise<PolicySet> {
  const folder = mkdtempSync(join(dir, 'set-'));
  cpSync(join(SAMPLE, 'schema.cedarschema'), join(folder, 'schema.cedarschema'));
  writeFileSync(join(folder, 'all.cedar'), policies.join('\n'));
  return PolicySet.load(folder);
}
const ALL = '@id("all") @reason("everything is permitted") permit (principal, action, resource);';

it('a call is permitted when the tool and the dataset both are', () => {
  expect(sample.decideCall(read)).toMatchObject({
    decision: 'permit',
    checks: [
      { check: 'tool_policy', ok: true, policies: ['tools.warehouse'] },
      { check: 'dataset_policy', ok: true, policies: ['data.crm-read'] },
    ],
    reasons: ['analysts and executors may run warehouse tools', 'analysts may read customer relations data'],
    obligations: { ttlMs: 300_000, approval: null, rowFilters: [] },
  });
});

it('a call is denied when the tool is permitted and the dataset forbidden', () => {
  expect(sample.decideCall({ ...read, dataset: 'hr.salaries' })).toMatchObject({
    decision: 'deny',
    code: 'ERR_DATASET_FORBIDDEN',
    checks: [
      { check: 'tool_policy', ok: true, policies: ['tools.warehouse'] },
      {
        check: 'dataset_policy',
        ok: false,
        policies: ['guard.salaries'],
        reason: 'salaries are for people, not for agents',
      },
    ],
    reasons: ['salaries are for people, not for agents'],
    obligations: { ttlMs: null, approval: null, rowFilters: [] },
  });
});

it('a call is denied when no policy permits it', async () => {
  const set = await setOf(
    '@id("never") @reason("no drift") forbid (principal, action == Mayfly::Action::"callTool", resource) when { context.now.drift > 0 };',
  );

  expect(set.decideCall(read)).toMatchObject({
    decision: 'deny',
    code: 'ERR_TOOL_FORBIDDEN',
    checks: [
      { check: 'tool_policy', ok: false, policies: [], reason: 'no policy permits it' },
      { check: 'dataset_policy', ok: false, policies: [] },
    ],
  });
});

it('a call is denied when a policy fails, for a forbid that fails would not forbid', async () => {
  const set = await setOf(
    ALL,
    '@id("overflow") @reason("too many") forbid (principal, action == Mayfly::Action::"readDataset", resource) when { context.now.calls > 1 && context.now.at.offset(duration("9223372036854775807ms")) > context.now.at };',
  );

  expect(set.decideCall({ ...read, now: { ...now, calls: 1 } }).decision).toBe('permit');
  expect(set.decideCall({ ...read, now: { ...now, calls: 2 } })).toMatchObject({
    decision: 'deny',
    code: 'ERR_POLICY_FAILED',
    checks: [
      { ok: true },
      { check: 'dataset_policy', ok: false, policies: ['overflow'], reason: 'a policy failed' },
    ],
  });
});

it.each([
  ['agent', { agent: agent('stranger') }],
  ['tool', { tool: 'sql.other' }],
])(
  'is denied for an %s the catalogue does not know, though everything is permitted',
  async (_what, changed) => {
    const set = await setOf(ALL);

    expect(set.decideCall({ ...read, ...changed })).toMatchObject({
      decision: 'deny',
      code: 'ERR_POLICY_FAILED',
      reasons: ['an entity is missing', 'an entity is missing'],
    });
  },
);

it.each([
  ['a dataset nobody knows', { dataset: 'crm.other' }],
  ['an action the dataset does not have', { dataset: 'crm.customers', action: 'write' }],
  ['an action the tool does not have', { action: 'drop' }],
  ['no dataset where the tool needs one', { dataset: undefined }],
  ['a fraction', { now: { ...now, rows: 0.5 } }],
  ['a number that would be rounded', { now: { ...now, rows: 2 ** 53 } }],
  ['no number', { now: { ...now, drift: Number.NaN } }],
  ['a time that is none', { now: { ...now, atMs: Number.NaN } }],
])('a call is denied for %s, though everything is permitted', async (_what, changed) => {
  const set = await setOf(ALL);

  expect(set.decideCall({ ...read, ...changed })).toMatchObject({
    decision: 'deny',
    code: 'ERR_POLICY_FAILED',
    reasons: ['the facts of the call cannot be stated'],
  });
});

it('a call asks the tool alone when the tool has no dataset', async () => {
  const { dataset: _, ...mail } = { ...read, tool: 'mail.send', action: 'send' };
  const set = await setOf(ALL);

  expect(set.decideCall(mail)).toMatchObject({
    decision: 'permit',
    checks: [{ check: 'tool_policy', ok: true }],
  });
  expect(set.decideCall({ ...mail, dataset: 'crm.orders' })).toMatchObject({ code: 'ERR_POLICY_FAILED' });
  expect(sample.decideCall({ ...mail, agent: agent('planner') })).toMatchObject({
    decision: 'deny',
    code: 'ERR_TOOL_FORBIDDEN',
  });
});

it('a call needs approval when only an approval is missing', () => {
  expect(sample.decideCall({ ...read, action: 'write' })).toMatchObject({
    decision: 'approval_required',
    code: 'ERR_APPROVAL_REQUIRED',
    checks: [{ ok: true }, { ok: false, policies: ['guard.write-approval'] }],
    obligations: { ttlMs: null, approval: 'one-person' },
  });
});

it('a call is denied, and not sent for approval, when approval would not help', () => {
  const write = { ...read, agent: agent('planner'), action: 'write' };

  expect(sample.decideCall(write)).toMatchObject({ decision: 'deny', code: 'ERR_TOOL_FORBIDDEN' });
  expect(sample.decideCall({ ...read, action: 'write', now: { ...now, drift: 90 } })).toMatchObject({
    decision: 'deny',
    code: 'ERR_TOOL_FORBIDDEN',
  });
});

it('a call asks for the strongest of several approvals', async () => {
  const guard = (id: string, approval: string) =>
    `@id("${id}") @reason("r") @remedy("approval") @approval("${approval}")
     forbid (principal, action in Mayfly::Action::"dataAccess", resource) unless { context.now.approval == "approved" };`;
  const set = await setOf(ALL, guard('one', 'one-person'), guard('two', 'two-person'));

  expect(set.decideCall(read).obligations.approval).toBe('two-person');
});

it('a call takes the shortest TTL and every row filter of the permits that decide, in the order of their ids', async () => {
  const permit = (id: string, annotations: string) =>
    `@id("${id}") @reason("r") ${annotations} permit (principal, action in Mayfly::Action::"agentAction", resource);`;
  const set = await setOf(
    permit('b', '@ttl("60") @rowfilter("b")'),
    permit('c', ''),
    permit('a', '@ttl("90") @rowfilter("a")'),
  );

  const decided = set.decideCall(read);

  expect(decided.obligations).toEqual({ ttlMs: 60_000, approval: null, rowFilters: ['a', 'b', 'a', 'b'] });
  expect(decided.checks.map(({ policies }) => policies)).toEqual([
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
});

it('a call has no TTL when no permit sets one', async () => {
  expect((await setOf(ALL)).decideCall(read).obligations.ttlMs).toBeNull();
});

it('a call is answered the same a hundred times', () => {
  const first = sample.decideCall({ ...read, action: 'write', now: { ...now, drift: 90, calls: 100 } });

  expect(first.checks[1]?.policies).toEqual(['guard.budget', 'guard.drift', 'guard.write-approval']);
  for (let i = 0; i < 100; i += 1)
    expect(sample.decideCall({ ...read, action: 'write', now: { ...now, drift: 90, calls: 100 } })).toEqual(
      first,
    );
});

it('a call keeps inputs that lead to the same decision again', () => {
  for (const request of [read, { ...read, dataset: 'hr.salaries' }, { ...read, action: 'write' }]) {
    const decided = sample.decideCall(request);
    const kept = JSON.parse(JSON.stringify(decided.inputs)) as CallInputs;

    expect(sample.replayCall(kept)).toEqual(decided);
    expect(decided.inputsDigest).toMatch(/^sha256:[0-9a-f]{64}$/);
  }
});

it('a call has another inputs digest when a fact differs', () => {
  const digest = sample.decideCall(read).inputsDigest;

  expect(sample.decideCall({ ...read, now: { ...now, calls: 1 } }).inputsDigest).not.toBe(digest);
  expect(sample.decideCall({ ...read, task: { ...task, purpose: 'Another' } }).inputsDigest).not.toBe(digest);
});
