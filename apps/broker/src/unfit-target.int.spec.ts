/** Targets that are not fit, at a real PostgreSQL: the broker refuses, others go on, and so does this one once it is mended. */
import { v7 as uuidv7 } from 'uuid';
import type pg from 'pg';
import type { Catalogue, DatasetEntry } from '#events/catalogue.js';
import type { CredentialProvider } from '#providers/provider.js';
import { issuersOf } from '#providers/postgres/issuer.js';
import { openSampleTarget, type SampleTarget } from '#providers/postgres/sample-target.contract.js';
import { targetSettings } from '#providers/target-settings.js';
import { TargetFitness } from '#service/target-fitness.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, called } from '../test/voices.js';

let target: SampleTarget;
let superuser: pg.Client;
let world: World;
let broker: BrokerProcess;
let watch: TargetFitness;
const logged: string[] = [];

beforeAll(async () => {
  target = await openSampleTarget('unf');
  superuser = await target.superuser();
});
afterAll(() => target.close());
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
  (broker.parts.providers as Map<string, CredentialProvider>).set('shop', target.broker);
  broker.parts.catalogue = readsBy(broker.parts.catalogue, target.policyRole);
});
afterEach(async () => {
  watch.stop();
  await superuser.query(LEND);
  await world.close();
});

/** The sample's orders, lent by this spec's own policy role. */
function readsBy(catalogue: Catalogue, policyRole: string): Catalogue {
  const orders = catalogue.datasets.get('crm.orders')!;
  const actions: DatasetEntry['actions'] = new Map([
    ['read', { rights: [policyRole], cedar: 'readDataset' }],
  ]);
  return { ...catalogue, datasets: new Map(catalogue.datasets).set('crm.orders', { ...orders, actions }) };
}
const LEND = `GRANT pol_spec_unf TO ${issuersOf(8).join(', ')} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE`;

function begin(change: object = {}): void {
  const shop = targetSettings.parse({
    ...{ id: 'shop', provider: 'postgres', maxTtlMs: 900_000, namespace: 'unf', issuerShards: 8 },
    connection: target.brokerSettings.connection,
    login: { user: 'providers_spec_broker', password: 'providers_spec_broker' },
    ...change,
  });
  const orders = targetSettings.parse({
    ...{ id: 'orders-api', provider: 'jwt', maxTtlMs: 300_000 },
    audience: 'http://127.0.0.1:7080',
  });
  watch = new TargetFitness({
    ...{ targets: [shop, orders], user: 'broker', rightsOf: () => [target.policyRole] },
    log: createLog('broker', { level: 'debug', write: (line) => logged.push(line) }),
    metrics: new Metrics('broker'),
    pace: { wellMs: 50, unwellMs: 50 },
  });
  broker.parts.fitness = watch;
  watch.begin();
}
const untilUnfit = (isUnfit: boolean) =>
  world.until(
    () => (watch.unfit('shop', [target.policyRole]) !== null) === isUnfit,
    `the target to be ${isUnfit ? 'unfit' : 'fit'}`,
  );

async function decided(taskId: string) {
  const call = called(taskId);
  await broker.hear(await world.voices.says(ANALYST, 'tool.called', call));
  return world.events(taskId, 'call.decided').find(({ callId }) => callId === call.callId);
}

it('a call is refused while a right is missing, and permitted once it is granted, without a restart', async () => {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId));
  begin();
  await superuser.query(`REVOKE pol_spec_unf FROM mayfly_issuer_2`);
  await untilUnfit(true);

  expect(await decided(taskId)).toMatchObject({
    decision: 'deny',
    code: 'ERR_TARGET_UNFIT',
    checks: expect.arrayContaining([
      {
        check: 'target_fit',
        ok: false,
        reason: 'the right cannot be lent at the target (ERR_TARGET_POLICY_ROLE)',
      },
    ]) as unknown,
  });
  expect(await world.delivers(taskId, 'call.refused')).toMatchObject([
    { data: { code: 'ERR_TARGET_UNFIT' } },
  ]);
  expect(world.typesOf(taskId)).not.toContain('lease.intended');
  expect(logged.join('')).toContain('pol_spec_unf cannot be lent by mayfly_issuer_2');

  await superuser.query(LEND);
  await untilUnfit(false);
  expect(await decided(taskId)).toMatchObject({ decision: 'permit' });
  await world.hears(taskId, 'lease.issued');
});

it('a broker starts with a target that is not there, refuses what needs it, and goes on with the others', async () => {
  const taskId = uuidv7();
  begin({ connection: { ...target.brokerSettings.connection, port: 1 } });
  await broker.hear(await world.voices.starts(taskId));
  await untilUnfit(true);

  expect(await decided(taskId)).toMatchObject({ decision: 'deny', code: 'ERR_TARGET_UNFIT' });
  expect(watch.remarks()).toEqual(['target shop is not fit: ERR_TARGET_UNREACHABLE']);
  expect(watch.unfit('orders-api', ['read'])).toBeNull();
});
