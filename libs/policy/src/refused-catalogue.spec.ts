import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dir, edit, env, lineIn, refusal } from '../test/edited-catalogue.js';
import { loadCatalogue } from './load-catalogue.js';

it('refuses a dataset on an unknown target', async () => {
  edit('datasets.yaml', 'target: shop', 'target: shap');

  expect(await refusal()).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    file: join(dir, 'datasets.yaml'),
    line: lineIn('datasets.yaml', 'shap'),
    key: '0.target',
    message: 'unknown',
    fields: { wantedIn: join(dir, 'targets.yaml') },
  });
});

it('refuses a right that no ACL of a Kafka target says', async () => {
  const TARGET = `
- id: events
  provider: kafka
  maxTtlMs: 300000
  connection: { brokers: "127.0.0.1:9092", tls: { mode: disable } }
  login: { user: mayfly_broker, password: x }
  namespace: evt
- id: orders-api
`;
  edit('targets.yaml', '\n- id: orders-api\n', TARGET);
  edit('datasets.yaml', 'target: orders-api', 'target: events');
  expect(await refusal()).toMatchObject({
    code: 'ERR_CONFIG_INVALID',
    message: expect.stringContaining('one ACL') as string,
  });

  edit('datasets.yaml', '{ rights: [read], cedar', '{ rights: ["read:topic:orders", own-groups], cedar');
  edit('datasets.yaml', '{ rights: [write], cedar', '{ rights: ["write:topics:orders."], cedar');
  const { catalogue, targets } = await loadCatalogue(dir, env);
  expect(catalogue.targets.get('events')).toEqual({ id: 'events', provider: 'kafka', maxTtlMs: 300_000 });
  expect(targets.map(({ provider }) => provider)).toContain('kafka');
});

it('refuses an orchestrator that names an unknown agent', async () => {
  edit('orchestrators.yaml', 'agent/planner', 'agent/planer');

  expect(await refusal()).toMatchObject({
    file: join(dir, 'orchestrators.yaml'),
    line: lineIn('orchestrators.yaml', 'planer'),
    key: '0.agents.1',
    message: 'unknown',
  });
});

it('refuses an orchestrator that names an unknown dataset', async () => {
  edit('orchestrators.yaml', 'hr.salaries, orders]', 'hr.wages, orders]');

  expect(await refusal()).toMatchObject({ key: '0.datasets.2', message: 'unknown' });
});

it('refuses an id given twice', async () => {
  edit('agents.yaml', 'agent/planner', 'agent/analyst');

  expect(await refusal()).toMatchObject({ code: 'ERR_CONFIG_INVALID', key: '1.id', message: 'given twice' });
});

it('refuses an unknown key', async () => {
  edit('agents.yaml', 'attested: false', 'atested: false\n  attested: false');

  expect(await refusal()).toMatchObject({
    code: 'ERR_CONFIG_UNKNOWN_KEY',
    key: '0.atested',
    line: lineIn('agents.yaml', 'atested'),
  });
});

it('refuses an unknown key in a target', async () => {
  edit('targets.yaml', '  issuerRole:', '  issuerRoll: x\n  issuerRole:');

  expect(await refusal()).toMatchObject({ code: 'ERR_CONFIG_UNKNOWN_KEY', key: '0.issuerRoll' });
});

it('refuses a catalogue with a file missing', async () => {
  rmSync(join(dir, 'tools.yaml'));

  expect(await refusal()).toMatchObject({ code: 'ERR_CONFIG_MISSING', file: join(dir, 'tools.yaml') });
});

it('refuses a file without entries', async () => {
  writeFileSync(join(dir, 'tools.yaml'), '# nothing yet\n');

  expect(await refusal()).toMatchObject({ code: 'ERR_CONFIG_INVALID', file: join(dir, 'tools.yaml') });
});

it('refuses a service for tokens without the name that stands in them', async () => {
  edit('targets.yaml', '  audience: ${MAYFLY_ORDERS_API:-http://127.0.0.1:7080}\n', '');

  expect(await refusal()).toMatchObject({ code: 'ERR_CONFIG_INVALID', key: '1.audience' });
});
