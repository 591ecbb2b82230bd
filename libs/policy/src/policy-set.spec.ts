import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalogue } from '#events/catalogue.js';
import type { TaskInputs } from './decision-inputs.js';
import { loadCatalogue } from './load-catalogue.js';
import { PolicyError, policyErrorLines } from './policy-error.js';
import { type CallRequest, PolicySet, type TaskRequest } from './policy-set.js';

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
let declaration: TaskRequest;
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
  declaration = {
    catalogue,
    orchestrator: task.orchestrator,
    agents: [agent('analyst'), agent('executor')],
    declared: [
      { tool: 'sql.query', dataset: 'crm.orders', actions: ['read', 'write'] },
      { tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'], agents: [agent('analyst')] },
    ],
    task,
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

describe('a declaration', () => {
  it('is permitted when every combination is, salaries included', () => {
    const decided = sample.decideTask(declaration);

    expect(decided).toMatchObject({ decision: 'permit', policies: ['declare.sample'] });
    expect((decided.inputs as TaskInputs).declarations).toHaveLength(5);
  });

  it('is forbidden to an orchestrator that no policy speaks of', () => {
    const orchestrators = new Map(catalogue.orchestrators);
    const known = catalogue.orchestrators.get(task.orchestrator);
    if (known === undefined) throw new Error('the sample has its orchestrator');
    orchestrators.set(task.orchestrator, { ...known, groups: [] });

    expect(sample.decideTask({ ...declaration, catalogue: { ...catalogue, orchestrators } })).toMatchObject({
      decision: 'deny',
      code: 'ERR_TASK_FORBIDDEN',
      reason: 'no policy permits the declaration',
      policies: [],
    });
  });

  it('is forbidden as a whole when one combination is', async () => {
    const set = await setOf(
      ALL,
      '@id("no-hr") @reason("no work on people’s data") forbid (principal, action == Mayfly::Action::"declareTask", resource in Mayfly::Domain::"hr");',
    );

    expect(set.decideTask(declaration)).toMatchObject({
      decision: 'deny',
      code: 'ERR_TASK_FORBIDDEN',
      reason: 'no work on people’s data',
      policies: ['no-hr'],
    });
  });

  it('is denied for an orchestrator the catalogue does not know, though everything is permitted', async () => {
    const set = await setOf(ALL);

    expect(
      set.decideTask({ ...declaration, orchestrator: 'spiffe://dev.mayfly/orchestrator/x' }),
    ).toMatchObject({
      decision: 'deny',
      code: 'ERR_POLICY_FAILED',
      reason: 'an entity is missing',
    });
  });

  it('may be for a tool without a dataset', async () => {
    const set = await setOf(ALL);

    expect(
      set.decideTask({ ...declaration, declared: [{ tool: 'sql.query', actions: ['read'] }] }).decision,
    ).toBe('permit');
  });

  it('is refused when it is so large that it would hold up other tasks', () => {
    const actions = Array.from({ length: 513 }, (_, index) => `a${index}`);

    expect(
      sample.decideTask({
        ...declaration,
        agents: [agent('analyst')],
        declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions }],
      }),
    ).toMatchObject({ decision: 'deny', code: 'ERR_DECLARATION_INVALID' });
  });

  it('is refused when it declares nothing', () => {
    expect(sample.decideTask({ ...declaration, declared: [] })).toMatchObject({
      decision: 'deny',
      code: 'ERR_TASK_FORBIDDEN',
    });
  });

  it('keeps inputs that lead to the same decision again', () => {
    const decided = sample.decideTask(declaration);

    expect(sample.replayTask(JSON.parse(JSON.stringify(decided.inputs)) as TaskInputs)).toEqual(decided);
  });
});

describe('loading', () => {
  it('leaves a set that decides alone, however many others are loaded', async () => {
    const others = await Promise.all([setOf(ALL), setOf(ALL.replace('permit (', 'forbid ('))]);

    expect(others.map((set) => set.decideCall({ ...read, dataset: 'hr.salaries' }).decision)).toEqual([
      'permit',
      'deny',
    ]);
    expect(sample.decideCall(read).decision).toBe('permit');
    expect(sample.decideCall({ ...read, dataset: 'hr.salaries' }).decision).toBe('deny');
    expect(others[0]?.decideCall({ ...read, dataset: 'hr.salaries' }).decision).toBe('permit');
  });

  it('refuses a set that fails a test of its own', async () => {
    const folder = mkdtempSync(join(dir, 'tested-'));
    cpSync(SAMPLE, folder, { recursive: true });
    writeFileSync(
      join(folder, 'tests/wish.yaml'),
      `- name: salaries for all\n  call: { agent: ${agent('analyst')}, tool: sql.query, dataset: hr.salaries, action: read }\n  expect: { decision: permit }\n`,
    );

    const error: unknown = await PolicySet.load(folder, catalogue).catch((thrown: unknown) => thrown);

    expect(error instanceof PolicyError && policyErrorLines(error)).toEqual([
      `${folder}/tests/wish.yaml:1:1: salaries for all: expected decision "permit", got "deny" (ERR_POLICY_TEST)`,
    ]);
  });

  it.each(['deploy/sample/none', 'deploy/sample/catalogue'])(
    'refuses %s, which is no policy folder',
    async (folder) => {
      await expect(PolicySet.load(folder)).rejects.toMatchObject({ code: 'ERR_POLICY_MISSING' });
    },
  );

  it('refuses a folder without a policy', async () => {
    const folder = mkdtempSync(join(dir, 'empty-'));
    cpSync(join(SAMPLE, 'schema.cedarschema'), join(folder, 'schema.cedarschema'));

    await expect(PolicySet.load(folder)).rejects.toMatchObject({ code: 'ERR_POLICY_MISSING' });
  });
});
