/**
 * A planner in the hands of somebody else, with all its keys. It may pass on what its executor does, and may do nothing of it: no
 * way that it tries gets it there, and each try stands in the topics as a refusal.
 */
import { v7 as uuidv7 } from 'uuid';
import type { InboundData, TaskAmended, TaskStarted } from '#events/inbound.js';
import type { RefusalCode } from '#events/refusal.js';
import { signEvent } from '#agent/signed-event.js';
import type { World } from '../test/harness.js';
import { ISSUER } from '../test/harness.js';
import { HttpWorld } from '../test/http-world.js';
import { OAuthAgent } from '../test/oauth-client.js';
import { called, inMs, ORCHESTRATOR, PLANNER, started } from '../test/voices.js';

const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';
const ORDERS = { tool: 'orders.api', dataset: 'orders', actions: ['read', 'write'] };
const deadline = inMs(3_000_000);

let http: HttpWorld;
let world: World;
let root: string;
beforeEach(async () => {
  http = await HttpWorld.open({});
  ({ world } = http);
  root = await http.startedTask({
    agents: [{ id: PLANNER }, { id: EXECUTOR }],
    declared: [{ ...ORDERS, agents: [EXECUTOR] }],
    delegable: [ORDERS],
  });
});
afterEach(() => http.close());

/** The planner starts a child of the root, as whoever has its keys would. */
async function child(change: Partial<TaskStarted>, taskId = uuidv7(), parent = root): Promise<string> {
  const declaration = { parent: { taskId: parent }, deadline, agents: [{ id: PLANNER }], declared: [ORDERS] };
  await http.broker.hear(
    await world.voices.says(PLANNER, 'task.started', started(taskId, { ...declaration, ...change })),
  );
  return taskId;
}
/** What a planner is there for. */
const forExecutor = { agents: [{ id: EXECUTOR }], delegable: [ORDERS] };
const withBoth = {
  agents: [{ id: EXECUTOR }, { id: PLANNER }],
  declared: [{ ...ORDERS, agents: [EXECUTOR] }],
};
const call = async (taskId: string, more: Partial<InboundData<'tool.called'>> = {}) => {
  const data = called(taskId, { tool: 'orders.api', dataset: 'orders', ...more });
  await http.broker.hear(await world.voices.says(PLANNER, 'tool.called', data));
  return taskId;
};
const amend = async (taskId: string, change: Partial<TaskAmended>) => {
  await http.broker.hear(await world.voices.says(PLANNER, 'task.amended', { taskId, ...change }));
  return taskId;
};

/** @returns the task in whose topic the refusal is */
type Attempt = () => Promise<string>;
type Told = 'call.decided' | 'event.rejected' | 'task.refused' | 'task.amendment_refused';

const attempts: [what: string, told: Told, code: RefusalCode, attempt: Attempt][] = [
  ["calling for the executor's rights", 'call.decided', 'ERR_NOT_DECLARED', () => call(root)],
  ['calling as the executor', 'event.rejected', 'ERR_SOURCE_MISMATCH', () => call(root, { agent: EXECUTOR })],
  [
    "calling with the executor's SVID and its own key",
    'event.rejected',
    'ERR_SVID_NOT_BOUND',
    async () => {
      const { svid } = await world.voices.as(EXECUTOR);
      const { key } = await world.voices.as(PLANNER);
      const data = called(root, { tool: 'orders.api', dataset: 'orders' });
      await http.broker.hear(world.voices.read(signEvent({ type: 'tool.called', data, svid, key })));
      return root;
    },
  ],
  [
    'a task of its own',
    'event.rejected',
    'ERR_NOT_ENTITLED',
    async () => {
      const taskId = uuidv7();
      await http.broker.hear(
        await world.voices.says(PLANNER, 'task.started', started(taskId, { agents: [{ id: PLANNER }] })),
      );
      return taskId;
    },
  ],
  [
    'a child with more than may be passed on',
    'task.refused',
    'ERR_NOT_DELEGABLE',
    () => child({ declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }] }),
  ],
  ['a child that names itself', 'task.refused', 'ERR_NOT_DELEGABLE', () => child({})],
  [
    'a child that names itself among others',
    'task.refused',
    'ERR_NOT_DELEGABLE',
    () => child({ agents: [{ id: EXECUTOR }, { id: PLANNER }] }),
  ],
  [
    'a child of its child that names itself',
    'task.refused',
    'ERR_NOT_DELEGABLE',
    async () => child({}, uuidv7(), await child(forExecutor)),
  ],
  [
    'a child for somebody more powerful',
    'task.refused',
    'ERR_NOT_ENTITLED',
    () => child({ ...forExecutor, principal: { id: 'user:ceo@corp.example', kind: 'human' } }),
  ],
  [
    'a child that outlives its parent',
    'task.refused',
    'ERR_DECLARATION_INVALID',
    () => child({ ...forExecutor, deadline: inMs(86_400_000) }),
  ],
  [
    'calling in the child that it made for the executor',
    'event.rejected',
    'ERR_AGENT_NOT_NAMED',
    async () => call(await child(forExecutor)),
  ],
  [
    "calling in such a child where it is named for nothing of the executor's",
    'call.decided',
    'ERR_NOT_DECLARED',
    async () => call(await child(withBoth)),
  ],
  [
    'amending such a child so that it is named itself',
    'task.amendment_refused',
    'ERR_NOT_DELEGABLE',
    async () => amend(await child(withBoth), { declared: [{ ...ORDERS, agents: [PLANNER] }] }),
  ],
  [
    'amending such a child so that everybody is named',
    'task.amendment_refused',
    'ERR_NOT_DELEGABLE',
    async () => amend(await child(withBoth), { declared: [ORDERS] }),
  ],
  [
    'amending the task that it works in',
    'event.rejected',
    'ERR_NOT_ENTITLED',
    () => amend(root, { declared: [{ ...ORDERS, agents: [PLANNER] }] }),
  ],
  [
    'having the executor re-keyed in the task that it works in',
    'event.rejected',
    'ERR_NOT_ENTITLED',
    () => amend(root, { rekey: EXECUTOR }),
  ],
  [
    "having the executor re-keyed in its own child, and going on with the executor's SVID and its own key",
    'event.rejected',
    'ERR_SVID_NOT_BOUND',
    async () => {
      const taskId = await child(forExecutor);
      await amend(taskId, { rekey: EXECUTOR });
      await world.hears(taskId, 'task.amended');
      const { svid } = await world.voices.as(EXECUTOR);
      const { key } = await world.voices.as(PLANNER);
      const data = called(taskId, { tool: 'orders.api', dataset: 'orders' });
      await http.broker.hear(world.voices.read(signEvent({ type: 'tool.called', data, svid, key })));
      return taskId;
    },
  ],
  ['a token for itself', 'call.decided', 'ERR_NOT_DECLARED', () => exchange(root)],
  [
    'a token in the child that it made for the executor',
    'event.rejected',
    'ERR_AGENT_NOT_NAMED',
    async () => exchange(await child(forExecutor)),
  ],
  [
    "a token with the executor's SVID as subject",
    'event.rejected',
    'ERR_SOURCE_MISMATCH',
    async () => exchange(root, { subject_token: await assertionOfExecutor() }),
  ],
  [
    "a token with the executor's assertion and its own key",
    'event.rejected',
    'ERR_KEY_CHANGED',
    async () => {
      const taskId = await child(forExecutor);
      const assertion = await assertionOfExecutor();
      const own = { client_assertion: assertion, subject_token: assertion };
      // The executor has come with it before, for something that it does not get.
      await exchange(uuidv7(), own, EXECUTOR);
      return exchange(taskId, own);
    },
  ],
];

const assertionOfExecutor = async () => (await world.voices.newly(EXECUTOR, { audience: ISSUER })).svid;

/** At the token endpoint, with the key that it has in its tasks. */
async function exchange(taskId: string, change: Record<string, string> = {}, by = PLANNER): Promise<string> {
  const { key } = await world.voices.as(by);
  const { svid } = await world.voices.newly(by, { audience: ISSUER });
  const door = await http.door(http.broker, { isPrivate: () => true });
  const agent = await OAuthAgent.of(world, door, { id: by, key, svid });
  const reply = await agent.exchange(taskId, change);
  expect(reply.status).toBeGreaterThanOrEqual(400);
  return taskId;
}

it.each(attempts)('gets nothing by %s', async (_what, told, code, attempt) => {
  const taskId = await attempt();

  expect(await world.hears(taskId, told)).toMatchObject([{ code }]);
  expect(await world.query('SELECT agent FROM lease')).toEqual([]);
});

it('may still pass on what it is there for: the executor works in its child, with its own identity and key', async () => {
  const taskId = await child(forExecutor);
  const data = called(taskId, { tool: 'orders.api', dataset: 'orders' });
  await http.broker.hear(await world.voices.says(EXECUTOR, 'tool.called', data));

  expect(await world.hears(taskId, 'lease.issued')).toMatchObject([{ agent: EXECUTOR }]);
  const [intended] = world.events(taskId, 'lease.intended');
  expect(intended).toMatchObject({
    lineage: [
      { taskId, generation: 1 },
      { taskId: root, generation: 1 },
    ],
    token: { agent: EXECUTOR, act: { sub: EXECUTOR, act: { sub: PLANNER } } },
  });
});

it("lets a lease of a child carry its parent's new generation after an amendment, and none of before be issued", async () => {
  const taskId = await child(forExecutor);
  const narrower = [{ ...ORDERS, actions: ['read'], agents: [EXECUTOR] }];
  const amendment = { taskId: root, declared: narrower };
  await http.broker.hear(await world.voices.says(ORCHESTRATOR, 'task.amended', amendment));
  const data = called(taskId, { tool: 'orders.api', dataset: 'orders' });
  await http.broker.hear(await world.voices.says(EXECUTOR, 'tool.called', data));

  expect(await world.hears(taskId, 'lease.intended')).toMatchObject([
    {
      lineage: [
        { taskId, generation: 1 },
        { taskId: root, generation: 2 },
      ],
    },
  ]);
});
