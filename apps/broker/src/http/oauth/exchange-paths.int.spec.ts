/**
 * Every way to a token, enumerated: who is the client, whom the subject token names and what kind it is, whether there is an actor
 * token, what the target takes, what the task declares for whom, and which action. A token comes out where the client's own rights
 * say so, and it carries the client's and nothing more. What a planner holds never yields an executor's.
 */
import { ISSUER, type World } from '../../../test/harness.js';
import type { HttpWorld } from '../../../test/http-world.js';
import { claimsOf, detailFor, JWT, OAuthAgent, openOAuthWorld } from '../../../test/oauth-client.js';
import { PLANNER } from '../../../test/voices.js';

const EXECUTOR = 'spiffe://dev.mayfly/agent/executor';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

const CLIENTS = [PLANNER, EXECUTOR] as const;
const SUBJECTS = [
  'own SVID',
  'SVID of the other',
  'own SVID for the tool',
  'token of the executor',
  'the same as access token',
] as const;
const ACTORS = ['none', 'own SVID', 'SVID of the other'] as const;
const TARGETS = [
  { kind: 'jwt', tool: 'orders.api', dataset: 'orders' },
  { kind: 'postgres', tool: 'sql.query', dataset: 'crm.orders' },
] as const;
const TASKS = ['both', 'executor', 'planner', 'other'] as const;
const ACTIONS = ['read', 'write'] as const;

type Task = (typeof TASKS)[number];
let http: HttpWorld;
let world: World;
const agents = new Map<string, OAuthAgent>();
const tasks = new Map<Task, string>();
let executorsToken: string;
beforeAll(async () => {
  const opened = await openOAuthWorld();
  ({ http, world } = opened);
  for (const id of CLIENTS) agents.set(id, await OAuthAgent.of(world, opened.door, id));
  const declared = (...ids: string[]) => ({
    agents: ids.map((id) => ({ id })),
    // Everything for all of them: policy alone tells them apart.
    declared: TARGETS.map(({ tool, dataset }) => ({ tool, dataset, actions: [...ACTIONS] })),
  });
  tasks.set('both', await http.startedTask(declared(PLANNER, EXECUTOR)));
  tasks.set('executor', await http.startedTask(declared(EXECUTOR)));
  tasks.set('planner', await http.startedTask(declared(PLANNER)));
  tasks.set('other', opened.taskId);
  const reply = await agents.get(EXECUTOR)!.exchange(tasks.get('both')!);
  executorsToken = String(reply.json['access_token']);
});
afterAll(() => http.close());

const other = (client: string) => (client === PLANNER ? EXECUTOR : PLANNER);
const svidFor = async (id: string, audience = ISSUER) => (await world.voices.newly(id, { audience })).svid;

async function subjectOf(
  kind: (typeof SUBJECTS)[number],
  client: string,
): Promise<[token: string, type: string]> {
  switch (kind) {
    case 'own SVID':
      return [agents.get(client)!.speaker.svid, JWT];
    case 'SVID of the other':
      return [await svidFor(other(client)), JWT];
    case 'own SVID for the tool':
      return [await svidFor(client, 'http://127.0.0.1:7080'), JWT];
    case 'token of the executor':
      return [executorsToken, JWT];
    case 'the same as access token':
      return [executorsToken, ACCESS_TOKEN];
  }
}

/** The rights as policy and tasks of the sample have them, written down once more: planners read, executors write too. */
const isPermitted = (path: (typeof paths)[number]) =>
  path.subject === 'own SVID' &&
  path.actor === 'none' &&
  path.target.kind === 'jwt' &&
  (path.client === EXECUTOR
    ? path.task === 'both' || path.task === 'executor'
    : (path.task === 'both' || path.task === 'planner') && path.action === 'read');

const paths = CLIENTS.flatMap((client) =>
  SUBJECTS.flatMap((subject) =>
    ACTORS.flatMap((actor) =>
      TARGETS.flatMap((target) =>
        TASKS.flatMap((task) => ACTIONS.map((action) => ({ client, subject, actor, target, task, action }))),
      ),
    ),
  ),
);

it(`of ${paths.length} paths none widens rights, and no planner comes to an executor's`, async () => {
  const given: string[] = [];
  for (const each of paths) {
    const { client, subject, actor, target, task, action } = each;
    const { kind, tool, dataset } = target;
    const taskId = tasks.get(task)!;
    const path = [client, subject, actor, kind, task, action].join(' · ');
    const agent = agents.get(client)!;
    const [token, type] = await subjectOf(subject, client);
    const expected = isPermitted(each);
    // As the broker's loop does: with keys that were read a minute ago it signs nothing.
    if (expected) await http.broker.parts.tokens?.keys.turn();
    const actorId = actor === 'own SVID' ? client : other(client);
    const reply = await agent.exchange(taskId, {
      authorization_details: JSON.stringify([detailFor(taskId, { tool, dataset, actions: [action] })]),
      ...{ subject_token: token, subject_token_type: type },
      ...(actor === 'none' ? {} : { actor_token: await svidFor(actorId), actor_token_type: JWT }),
    });

    expect([path, reply.status]).toEqual([path, expected ? 200 : 400]);
    if (!expected) {
      expect(reply.text).not.toContain('access_token');
      continue;
    }
    given.push(path);
    const claims = claimsOf(reply.json['access_token']);
    expect(claims).toMatchObject({
      client_id: client,
      act: { sub: client },
      cnf: { jkt: agent.speaker.key.thumbprint },
      sub: 'user:maria@corp.example',
      lineage: [{ taskId, generation: 1 }],
    });
    expect(claims['authorization_details']).toEqual([
      {
        type: 'mayfly_tool_access',
        locations: ['http://127.0.0.1:7080'],
        task: taskId,
        tool,
        dataset,
        actions: [action],
      },
    ]);
  }
  expect(given).toHaveLength(6);
  expect(given.filter((path) => path.startsWith(PLANNER) && path.endsWith('write'))).toEqual([]);
}, 240_000);

it('an executor’s token is of no use to a planner who has stolen it and its assertion', async () => {
  const planner = agents.get(PLANNER)!;
  const stolen = agents.get(EXECUTOR)!.speaker.svid;
  const reply = await planner.exchange(tasks.get('both')!, {
    client_assertion: stolen,
    subject_token: stolen,
  });

  expect(reply).toMatchObject({ status: 401, json: { mayfly_code: 'ERR_ASSERTION_OF_OTHER_KEY' } });
});
