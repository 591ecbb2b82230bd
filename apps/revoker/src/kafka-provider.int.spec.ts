/** Leases at a Kafka through the revoker: what an end, and a create that comes too late, come to there. */
import { v7 as uuidv7 } from 'uuid';
import {
  ORDERS,
  openSampleKafka,
  STARTS_WITHIN_MS,
  type SampleKafka,
} from '#providers/kafka/sample-kafka.contract.js';
import type { CredentialProvider } from '#providers/provider.js';
import { brokers, inMs } from './broker-voice.contract.js';
import { World } from './revoker-world.contract.js';

let kafka: SampleKafka;
let world: World;
/** Cuts that are over, by lease. */
const cuts: string[] = [];
const counting = (provider: CredentialProvider): CredentialProvider => ({
  ...{ kind: provider.kind, fencing: provider.fencing, capabilities: provider.capabilities },
  principal: (leaseId) => provider.principal(leaseId),
  create: (plan) => provider.create(plan),
  renew: (plan, notAfter) => provider.renew(plan, notAfter),
  cut: (plan) => provider.cut(plan).finally(() => cuts.push(plan.leaseId)),
  observe: (plan) => provider.observe(plan),
  clean: (plan) => provider.clean(plan),
  list: () => provider.list(),
  close: () => provider.close(),
});
beforeAll(async () => {
  [kafka, world] = await Promise.all([openSampleKafka({ id: 'shop' }), World.open('rkf')]);
  await world.startSweeping(counting(kafka.revoker));
}, STARTS_WITHIN_MS);
afterAll(async () => {
  await world.close();
  await kafka.close();
});

it('the end of a task ends what its session may do, and its login', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const plan = kafka.plan();
  await world.say(world.intended(taskId, plan));
  const credential = await kafka.created(plan);
  await world.say(world.issued(taskId, plan));
  const agent = kafka.agent(credential);
  await agent.produce(ORDERS);

  await world.endTask(taskId);

  const { evidence } = await world.hears(plan.leaseId, 'lease.access_cut');
  expect(evidence).toMatchObject({ state: 'absent', observations: 2, nodes: { seen: 1, expected: 1 } });
  await expect(agent.produce(ORDERS)).rejects.toThrow(/authoriz/i);
  await expect(kafka.agent(credential).login()).rejects.toThrow();
  await world.hears(plan.leaseId, 'lease.removed');
});

it('what was never answered is proven only once no create may land any more, and one that landed is cut before', async () => {
  const taskId = uuidv7();
  await world.startTask(taskId);
  const plan = kafka.plan({ createBy: inMs(15_000) });
  await world.say(world.intended(taskId, plan));
  await world.endTask(taskId);
  await world.until(() => cuts.includes(plan.leaseId), 'the first cut');
  expect(await world.stateOf(plan.leaseId)).toBe('due');

  const credential = await kafka.created(plan);

  const { cutAt } = await world.hears(plan.leaseId, 'lease.access_cut');
  expect(Date.parse(cutAt)).toBeGreaterThanOrEqual(Date.parse(plan.createBy) + 2_000);
  await expect(kafka.agent(credential).login()).rejects.toThrow();
  expect((await kafka.revoker.observe(plan)).state).toBe('absent');
}, 180_000);

it('a sweep finds a user that no lease explains, and cuts it', async () => {
  const plan = kafka.plan();
  const credential = await kafka.created(plan);

  const data = { ...brokers('store'), generation: 0, service: 'broker', epoch: 'one', swept: false } as const;
  await world.say({ type: 'store.restored', data });

  await world.hears(plan.leaseId, 'lease.access_cut');
  await expect(kafka.agent(credential).login()).rejects.toThrow();
});
