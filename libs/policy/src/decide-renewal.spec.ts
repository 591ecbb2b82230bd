import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCatalogue } from './load-catalogue.js';
import { PolicySet, type CallRequest } from './policy-set.js';

const SAMPLE = 'deploy/sample/policy';
const NOON_MS = Date.UTC(2026, 0, 5, 12);
const ALL = '@id("all") @reason("everything is permitted") permit (principal, action, resource);';
const AT_MOST =
  '@id("at-most-two") @reason("a job that long asks anew") forbid (principal, action == Mayfly::Action::"renew", resource) when { context.now.renewals >= 2 };';

let dir: string;
let request: CallRequest;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mayfly-renewal-'));
  const { catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' });
  request = {
    ...{ catalogue, agent: 'spiffe://dev.mayfly/agent/analyst' },
    ...{ tool: 'sql.query', dataset: 'crm.orders', action: 'read' },
    task: {
      taskId: '019b8e6a-7400-7000-8000-000000000001',
      orchestrator: 'spiffe://dev.mayfly/orchestrator/sample',
      onBehalfOf: 'user:maria@corp.example',
      purpose: 'Reconcile October invoices',
      risk: 'low',
      deadlineMs: NOON_MS + 3_600_000,
      ...{ depth: 0, maxCalls: 100, maxRows: 10_000 },
    },
    now: {
      ...{ atMs: NOON_MS, calls: 1, callsLastMinute: 1, rows: 0, drift: 0, renewals: 0 },
      ...{ approval: 'none', approvers: [] },
    },
  };
});
afterAll(() => rmSync(dir, { recursive: true }));

async function setOf(...policies: string[]): Promise<PolicySet> {
  const folder = mkdtempSync(join(dir, 'set-'));
  cpSync(join(SAMPLE, 'schema.cedarschema'), join(folder, 'schema.cedarschema'));
  writeFileSync(join(folder, 'all.cedar'), policies.join('\n'));
  return PolicySet.load(folder);
}
const renewedSoOften = (renewals: number): CallRequest => ({
  ...request,
  now: { ...request.now, renewals },
});

it('is permitted where the call still is, and no policy forbids it', async () => {
  const sample = await PolicySet.load(SAMPLE);
  const decided = sample.decideRenewal(request);

  expect(decided).toMatchObject({ decision: 'permit', obligations: { ttlMs: 300_000 } });
  expect(decided.checks.at(-1)).toEqual({
    check: 'renew_policy',
    ok: true,
    policies: [],
    reason: 'no policy forbids it',
  });
});

it('is forbidden by a policy on `renew`, which sees how often it was renewed', async () => {
  const set = await setOf(ALL, AT_MOST);

  expect(set.decideRenewal(renewedSoOften(1)).decision).toBe('permit');
  expect(set.decideRenewal(renewedSoOften(2))).toMatchObject({
    decision: 'deny',
    code: 'ERR_RENEWAL_FORBIDDEN',
    reasons: ['a job that long asks anew'],
    checks: expect.arrayContaining([
      { check: 'renew_policy', ok: false, policies: ['at-most-two'], reason: 'a job that long asks anew' },
    ]) as object,
  });
});

it('is denied like the call, where today’s policy permits that no more', async () => {
  const frozen =
    '@id("freeze") @reason("nobody reads today") forbid (principal, action == Mayfly::Action::"readDataset", resource);';
  const set = await setOf(ALL, frozen);

  expect(set.decideRenewal(request)).toMatchObject({ decision: 'deny', code: 'ERR_DATASET_FORBIDDEN' });
});

it('keeps inputs that lead to the same decision of the call again', async () => {
  const set = await setOf(ALL, AT_MOST);
  const { inputs, inputsDigest } = set.decideRenewal(request);

  expect(inputs).toMatchObject({ tool: {}, dataset: {}, renew: { resource: { type: 'Mayfly::Task' } } });
  expect(inputsDigest).not.toBe(set.decideCall(request).inputsDigest);
  expect(set.replayCall(inputs as Parameters<PolicySet['replayCall']>[0]).decision).toBe('permit');
});
