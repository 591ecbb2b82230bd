import type { Catalogue } from '#events/catalogue.js';
import { decideCall } from '../decide-call.js';
import { loadCatalogue } from '../load-catalogue.js';
import { loadPolicies } from '../load-policies.js';
import { parsePolicies, type ParsedPolicies } from '../parse-policies.js';
import { ordinaryRequestOf } from '../../../../test/support/recorded-calls.mjs';
import { toolsFor, whoCan, type Reach } from './who-can.js';

const agent = (name: string) => `spiffe://dev.mayfly/agent/${name}`;

let catalogue: Catalogue;
let sample: ParsedPolicies;
beforeAll(async () => {
  catalogue = (await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' })).catalogue;
  sample = await loadPolicies('deploy/sample/policy');
});

const parsed = (...texts: string[]) =>
  parsePolicies({ file: 'schema.cedarschema', text: sample.schema }, [
    { file: 'a.cedar', text: texts.join('\n') },
  ]);
const ask = (
  dataset: string,
  action: string,
  { policies = sample, tool, name }: { policies?: ParsedPolicies; tool?: string; name?: string } = {},
): Reach[] =>
  whoCan(policies, {
    ...{ catalogue, dataset, action },
    tools: tool === undefined ? toolsFor(catalogue, action) : [tool],
    agents: name === undefined ? [...catalogue.agents.keys()] : [agent(name)],
  });
const one = (...asked: Parameters<typeof ask>): Reach => {
  const [reach, ...more] = ask(...asked);
  if (reach === undefined || more.length > 0) throw new Error('expected one answer');
  return reach;
};

const TOOL = '@id("tool") @reason("r") permit (principal, action == Mayfly::Action::"callTool", resource);';
const DATA = '@id("data") @reason("r") permit (principal, action == Mayfly::Action::"readDataset", resource)';

it('asks for each agent of the catalogue with each tool that takes datasets', () => {
  expect(toolsFor(catalogue, 'read')).toEqual(['orders.api', 'sql.query']);
  expect(ask('crm.orders', 'read').map(({ agent: id, tool }) => [id, tool])).toEqual(
    ['analyst', 'executor', 'planner'].flatMap((name) => [
      [agent(name), 'orders.api'],
      [agent(name), 'sql.query'],
    ]),
  );
});

it('says under which conditions, as the policies say them', () => {
  const { residuals, ...reach } = one('crm.orders', 'read', { tool: 'sql.query', name: 'analyst' });

  expect(reach).toEqual({
    ...{ agent: agent('analyst'), tool: 'sql.query', answer: 'under_conditions' },
    policies: ['data.crm-read', 'tools.warehouse'],
  });
  expect(residuals.filter(({ id }) => ['guard.budget', 'guard.drift'].includes(id))).toEqual([
    {
      ...{ id: 'guard.budget', effect: 'forbid', approval: null },
      text: 'when { (context.now.calls >= context.task.maxCalls) || (context.now.rows >= context.task.maxRows) }',
    },
    { id: 'guard.drift', effect: 'forbid', approval: null, text: 'when { context.now.drift > 80 }' },
  ]);
});

it('says where people have to be asked', () => {
  const { answer, residuals } = one('crm.orders', 'write', { tool: 'sql.query', name: 'executor' });

  expect(answer).toBe('under_conditions');
  expect(residuals.find(({ id }) => id === 'guard.write-approval')).toMatchObject({ approval: 'one-person' });
});

it('says never where a guard forbids it whatever the task is', () => {
  expect(one('hr.salaries', 'read', { tool: 'sql.query', name: 'analyst' })).toMatchObject({
    ...{ answer: 'never', closed: 'dataset', policies: ['guard.salaries'], residuals: [] },
  });
});

it('says never where nothing permits the tool, though the dataset is open', () => {
  expect(one('orders', 'read', { tool: 'sql.query', name: 'planner' })).toMatchObject({
    ...{ answer: 'never', closed: 'tool', policies: [] },
  });
});

it('says always where nothing else is asked', () => {
  const policies = parsed(TOOL, `${DATA};`);

  expect(one('crm.orders', 'read', { policies, tool: 'sql.query', name: 'planner' })).toEqual({
    ...{
      agent: agent('planner'),
      tool: 'sql.query',
      answer: 'always',
      policies: ['data', 'tool'],
      residuals: [],
    },
  });
});

it('says what a permit waits for', () => {
  const policies = parsed(TOOL, `${DATA} when { context.task.purpose == "audit" };`);

  expect(one('crm.orders', 'read', { policies, tool: 'sql.query', name: 'planner' })).toMatchObject({
    answer: 'under_conditions',
    policies: ['tool'],
    residuals: [{ id: 'data', effect: 'permit', text: 'when { context.task.purpose == "audit" }' }],
  });
});

it('takes what cannot hold for what it is', () => {
  const policies = parsed(
    TOOL,
    `${DATA} when { context.task.risk == "low" && !resource.pii };`,
    '@id("guard") @reason("r") forbid (principal, action == Mayfly::Action::"readDataset", resource) when { context.task.risk == "high" && resource.pii };',
  );
  const reads = (dataset: string) => one(dataset, 'read', { policies, tool: 'sql.query', name: 'planner' });

  expect(reads('crm.orders').residuals.map(({ id, text }) => [id, text])).toEqual([
    ['data', 'when { context.task.risk == "low" }'],
  ]);
  expect(reads('crm.customers')).toMatchObject({ answer: 'never', closed: 'dataset', policies: [] });
});

it('never says never of what the engine permits, nor always of what it denies', () => {
  for (let n = 0; n < 24; n += 1) {
    const request = ordinaryRequestOf(catalogue, n);
    const { tool, dataset = '', action } = request;
    const [reach] = whoCan(sample, { catalogue, dataset, action, tools: [tool], agents: [request.agent] });
    const { decision } = decideCall(sample, request);

    if (decision !== 'deny') expect(reach?.answer).not.toBe('never');
    if (decision !== 'permit') expect(reach?.answer).not.toBe('always');
  }
});
