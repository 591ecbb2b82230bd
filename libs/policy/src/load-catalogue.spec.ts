import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir, edit, env, lineIn, refusal, SAMPLE } from '../test/edited-catalogue.js';
import { loadCatalogue } from './load-catalogue.js';

const ANALYST = 'spiffe://dev.mayfly/agent/analyst';

it('loads the sample, whose names stay', async () => {
  const { catalogue, targets } = await loadCatalogue(SAMPLE, env);

  expect([...catalogue.orchestrators.keys()]).toEqual(['spiffe://dev.mayfly/orchestrator/sample']);
  expect(catalogue.orchestrators.get('spiffe://dev.mayfly/orchestrator/sample')).toMatchObject({
    agents: [ANALYST, 'spiffe://dev.mayfly/agent/planner', 'spiffe://dev.mayfly/agent/executor'],
    datasets: ['crm.orders', 'crm.customers', 'hr.salaries', 'orders'],
    mayAssert: ['corp.example'],
  });
  expect(catalogue.operators.get('spiffe://dev.mayfly/operator/dev')?.roles).toEqual(['operator', 'auditor']);
  expect([...catalogue.tools.keys()]).toEqual(['mail.send', 'orders.api', 'orders.mcp', 'sql.query']);
  expect(catalogue.datasets.get('crm.orders')?.actions).toEqual(
    new Map([
      ['read', { rights: ['pol_crm_orders_read'], cedar: 'readDataset' }],
      ['write', { rights: ['pol_crm_orders_write'], cedar: 'writeDataset' }],
    ]),
  );
  expect(catalogue.targets.get('shop')).toEqual({ id: 'shop', provider: 'postgres', maxTtlMs: 900_000 });
  const orders = {
    id: 'orders-api',
    provider: 'jwt',
    maxTtlMs: 300_000,
    audience: 'http://127.0.0.1:7080',
  };
  expect(catalogue.targets.get('orders-api')).toEqual(orders);
  expect(targets).toMatchObject([
    { id: 'shop', connection: { port: 7433 }, login: { user: 'mayfly_broker' } },
    orders,
    { id: 'orders-mcp', provider: 'jwt', audience: 'http://127.0.0.1:7081' },
    { id: 'mail-relay', provider: 'jwt', audience: 'http://127.0.0.1:7082' },
  ]);
  const shop = targets.find((target) => target.provider === 'postgres');
  expect(shop?.login.password.reveal()).toBe('0042');
});

it('has one digest for every service, and another when an entry changes', async () => {
  const broker = await loadCatalogue(dir, env);
  const auditor = await loadCatalogue(dir, {}, { targets: 'describe' });
  edit('agents.yaml', 'attested: false', 'attested: true');
  const changed = await loadCatalogue(dir, env);

  expect(broker.catalogue.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
  expect(auditor.catalogue.digest).toBe(broker.catalogue.digest);
  expect(changed.catalogue.digest).not.toBe(broker.catalogue.digest);
});

it('describes targets without anyone’s login', async () => {
  const { catalogue, targets } = await loadCatalogue(SAMPLE, {}, { targets: 'describe' });

  expect(targets).toEqual([]);
  expect(catalogue.targets.has('shop')).toBe(true);
});

it('demands the login of whoever connects', async () => {
  await expect(loadCatalogue(SAMPLE, {})).rejects.toMatchObject({
    code: 'ERR_CONFIG_VARIABLE',
    key: '0.connection.host',
    fields: { variable: 'MAYFLY_TARGET_HOST' },
  });
});

describe('a dataset at Redis', () => {
  const add = (file: string, text: string) =>
    writeFileSync(join(dir, file), `${readFileSync(join(dir, file), 'utf8')}${text}`);
  const dataset = (target: string, right: string) =>
    add(
      'datasets.yaml',
      `- { id: carts, domains: [crm], classification: internal, residency: eu, pii: false, target: ${target},
    actions: { read: { rights: ['${right}'] } } }\n`,
    );
  beforeEach(() =>
    add(
      'targets.yaml',
      `- { id: cache, provider: redis, maxTtlMs: 300000, nodes: [{ host: redis.example }], namespace: smp,
    login: { user: mayfly-broker, password: x } }\n`,
    ),
  );

  it('says for each action what it lends', async () => {
    dataset('cache', '%R~carts:* +@hash');
    const { catalogue, targets } = await loadCatalogue(dir, env);
    expect(catalogue.datasets.get('carts')?.actions.get('read')?.rights).toEqual(['%R~carts:* +@hash']);
    expect(catalogue.targets.get('cache')).toEqual({ id: 'cache', provider: 'redis', maxTtlMs: 300_000 });
    expect(targets.at(-1)).toMatchObject({
      provider: 'redis',
      nodes: [{ host: 'redis.example', port: 6_379 }],
    });
  });

  it.each([
    ['cache', 'pol_carts_read', 'rights.0'],
    ['shop', '~carts:* +get', 'rights.0'],
    ['cache', '~* +get', 'rights.0'],
    ['cache', '~carts:* +@all', 'rights.0'],
  ])('at %s is not lent by %s', async (target, right, key) => {
    dataset(target, right);
    expect(await refusal()).toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      key: expect.stringContaining(key) as unknown,
      line: lineIn('datasets.yaml', right),
    });
  });
});

it('takes Cedar’s action from the name where the entry gives none', async () => {
  edit(
    'datasets.yaml',
    '{ rights: [pol_crm_orders_write], cedar: writeDataset }',
    '{ rights: [pol_crm_orders_write] }',
  );
  edit(
    'datasets.yaml',
    '{ rights: [pol_crm_orders_read], cedar: readDataset }',
    '{ rights: [pol_crm_orders_read] }',
  );

  const { catalogue } = await loadCatalogue(dir, env);

  expect(
    [...(catalogue.datasets.get('crm.orders')?.actions.values() ?? [])].map(({ cedar }) => cedar),
  ).toEqual(['readDataset', 'writeDataset']);
});

it('knows how far an agent is trusted, and which models it may run', async () => {
  const MODELS = "models: [{ name: reader, version: '4' }, { name: planner }]";
  edit('agents.yaml', '  trust: 50\n', `  ${MODELS}\n`);

  const { agents } = (await loadCatalogue(dir, env)).catalogue;

  expect(agents.get(ANALYST)).toMatchObject({
    trust: 50,
    models: [{ name: 'reader', version: '4' }, { name: 'planner' }],
  });
  expect(agents.get('spiffe://dev.mayfly/agent/planner')?.models).toBeUndefined();

  edit('agents.yaml', MODELS, 'trust: 101');
  expect(await refusal()).toMatchObject({ key: '0.trust', line: lineIn('agents.yaml', 'trust: 101') });

  edit('agents.yaml', 'trust: 101', 'models: []');
  expect(await refusal()).toMatchObject({ key: '0.models' });
});

it('takes a limit of calls a minute, as far as they are counted', async () => {
  const LIMITS = 'limits: { maxCalls: 100, maxRows: 10000';
  edit('orchestrators.yaml', LIMITS, `${LIMITS}, maxCallsPerMinute: 1000`);
  const [entry] = (await loadCatalogue(dir, env)).catalogue.orchestrators.values();
  expect(entry?.limits).toEqual({ maxCalls: 100, maxRows: 10_000, maxCallsPerMinute: 1_000 });

  edit('orchestrators.yaml', 'maxCallsPerMinute: 1000', 'maxCallsPerMinute: 1001');
  expect(await refusal()).toMatchObject({ key: '0.limits.maxCallsPerMinute' });
});

it('takes a target of a tool’s own, where the tool has no dataset and the target takes tokens', async () => {
  edit(
    'tools.yaml',
    'dataset: required\n  actions: [read, write]',
    'dataset: none\n  target: orders-api\n  actions: [read, write]',
  );
  expect((await loadCatalogue(dir, env)).catalogue.tools.get('sql.query')?.target).toBe('orders-api');

  edit('tools.yaml', 'target: orders-api', 'target: shop');
  expect(await refusal()).toMatchObject({
    key: '0.target',
    message: 'only without a dataset, and of kind jwt',
  });

  edit('tools.yaml', 'target: shop', 'target: nowhere');
  expect(await refusal()).toMatchObject({ key: '0.target', message: 'unknown' });

  edit('tools.yaml', 'dataset: none\n  target: nowhere', 'dataset: required\n  target: orders-api');
  expect(await refusal()).toMatchObject({ key: '0.target' });
});
