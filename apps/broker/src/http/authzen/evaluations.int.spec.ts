/** AuthZEN: may this agent do that, were it to ask now? The same answers as to calls, and nothing comes of them. */
import { v7 as uuidv7 } from 'uuid';
import { ANALYST, ORCHESTRATOR, PLANNER } from '../../../test/voices.js';
import { answered, HttpWorld, type Answered, type Door } from '../../../test/http-world.js';
import type { World } from '../../../test/harness.js';

const OTHER_ORCHESTRATOR = 'spiffe://dev.mayfly/orchestrator/other';
let http: HttpWorld;
let world: World;
let door: Door;
let taskId: string;
beforeEach(async () => {
  http = await HttpWorld.open({});
  ({ world } = http);
  door = await http.door(http.broker, { isPrivate: () => true });
  taskId = await http.startedTask();
});
afterEach(() => http.close());

type Json = Record<string, unknown>;
const read = (change: Json = {}): Json => ({
  subject: { type: 'agent', id: ANALYST },
  action: { name: 'read' },
  resource: { type: 'dataset', id: 'crm.orders' },
  context: { task: taskId, tool: 'sql.query' },
  ...change,
});
const salaries = () => ({ resource: { type: 'dataset', id: 'hr.salaries' } });

async function ask(
  body: Json | string,
  by = ANALYST,
  path = 'evaluation',
  headers: Json = {},
): Promise<Answered> {
  const { svid } = await world.voices.newly(by, { audience: 'mayfly' });
  return await answered(
    await fetch(`${door.url}/access/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${svid}`, 'content-type': 'application/json', ...headers } as Record<
        string,
        string
      >,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }),
  );
}
const contextOf = ({ json }: Answered) => json['context'] as Json;

describe('an evaluation', () => {
  it('says yes with what the call would be obliged to, by the policies that say so', async () => {
    const reply = await ask(read());

    expect(reply.status).toBe(200);
    expect(reply.json).toMatchObject({ decision: true });
    expect(contextOf(reply)).toMatchObject({
      determining_policies: expect.arrayContaining([expect.any(String)]) as unknown,
      obligations: { ttl_ms: expect.any(Number) as number },
      policy_set: http.broker.parts.judge.digest,
    });
    expect(contextOf(reply)).not.toHaveProperty('code');
  });

  it('is the same from the side of the tool', async () => {
    const ofTool = read({
      resource: { type: 'tool', id: 'sql.query' },
      context: { task: taskId, dataset: 'crm.orders' },
    });
    expect((await ask(ofTool)).json).toEqual((await ask(read())).json);
  });

  it('says no as the call would be refused: the tool permits, the dataset does not', async () => {
    const reply = await ask(read(salaries()));

    expect(reply.json).toMatchObject({ decision: false, context: { code: 'ERR_DATASET_FORBIDDEN' } });
    expect(contextOf(reply)['checks']).toEqual(
      expect.arrayContaining([
        { check: 'tool_policy', ok: true },
        { check: 'dataset_policy', ok: false },
      ]),
    );
  });

  it('says no outside the declaration, whatever policy says', async () => {
    const reply = await ask(read({ action: { name: 'write' } }));
    expect(reply.json).toMatchObject({ decision: false, context: { code: 'ERR_NOT_DECLARED' } });
  });

  it('names an approval as the remedy where one would do', async () => {
    const writing = await http.startedTask({
      declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['write'] }],
    });
    const reply = await ask(
      read({ action: { name: 'write' }, context: { task: writing, tool: 'sql.query' } }),
    );
    expect(reply.json).toMatchObject({
      decision: false,
      context: { code: 'ERR_APPROVAL_REQUIRED', remedy: { type: 'approval' } },
    });
  });

  it('says no once the task has ended', async () => {
    await http.broker.hear(await world.voices.ends(taskId));
    expect((await ask(read())).json).toMatchObject({ decision: false, context: { code: 'ERR_TASK_ENDED' } });
  });

  it('leaves no trace: no call, no record, no count', async () => {
    const before = world.events(taskId, 'call.decided').length;
    await ask(read());
    await world.quiet();
    expect(world.events(taskId, 'call.decided')).toHaveLength(before);
    expect(await world.query('SELECT 1 FROM call')).toEqual([]);
  });

  it('gives an id of the request back that cannot do harm', async () => {
    const echoed = async (id: string) =>
      (await ask(read(), ANALYST, 'evaluation', { 'x-request-id': id })).headers.get('x-request-id');
    expect(await echoed('req-17')).toBe('req-17');
    expect(await echoed('no good')).toBeNull();
  });
});

describe('who asks', () => {
  it('the orchestrator of the task may', async () => {
    expect((await ask(read(), ORCHESTRATOR)).json).toMatchObject({ decision: true });
  });

  it('an operator may, and an approver may not', async () => {
    const operators = http.broker.parts.catalogue.operators as Map<string, { id: string; roles: string[] }>;
    operators.set(PLANNER, { id: PLANNER, roles: ['operator'] });
    expect((await ask(read(), PLANNER)).json).toMatchObject({ decision: true });
    operators.set(PLANNER, { id: PLANNER, roles: ['approver'] });
    expect((await ask(read(), PLANNER)).json).toMatchObject({ decision: false });
  });

  it.each([PLANNER, OTHER_ORCHESTRATOR])('%s hears the same of a task that is not there', async (by) => {
    const there = await ask(read(), by);
    const nowhere = await ask(read({ context: { task: uuidv7(), tool: 'sql.query' } }), by);
    expect(there.json).toMatchObject({ decision: false, context: { code: 'ERR_NOT_ENTITLED' } });
    expect(nowhere.json).toEqual(there.json);
  });

  it('is somebody: without a token, or over a way that others can read, nothing is said', async () => {
    const post = (url: string, authorization: string) =>
      fetch(`${url}/access/v1/evaluation`, {
        method: 'POST',
        headers: { authorization },
        body: JSON.stringify(read()),
      });
    expect(await answered(await post(door.url, 'Bearer nobody'))).toMatchObject({
      status: 401,
      json: { code: 'ERR_BEARER_MISSING' },
    });
    expect(await answered(await post(door.url, 'Bearer e30.e30.AAAA'))).toMatchObject({
      status: 401,
      json: { code: 'ERR_SVID_INVALID' },
    });
    const inTheOpen = await http.door(http.broker);
    expect(await answered(await post(inTheOpen.url, 'Bearer e30.e30.AAAA'))).toMatchObject({
      status: 403,
      json: { code: 'ERR_TLS_REQUIRED' },
    });
  });
});

describe('evaluations', () => {
  const batch = async (more: Json) => await ask({ ...read(), ...more }, ANALYST, 'evaluations');
  const decisions = ({ json }: Answered) =>
    (json['evaluations'] as { decision: boolean }[]).map((each) => each.decision);
  const three = [{}, salaries(), {}];

  it('are answered in their order, each by the whole defaults that it does not replace', async () => {
    expect(decisions(await batch({ evaluations: three }))).toEqual([true, false, true]);
  });

  it.each([
    ['deny_on_first_deny', [true, false]],
    ['permit_on_first_permit', [true]],
    ['execute_all', [true, false, true]],
  ])('%s', async (evaluations_semantic, expected) => {
    const reply = await batch({ options: { evaluations_semantic }, evaluations: three });
    expect(decisions(reply)).toEqual(expected);
  });

  it('that cannot be read are refused alone', async () => {
    const reply = await batch({ evaluations: [{}, { subject: { type: 'person', id: 'maria' } }] });
    expect(decisions(reply)).toEqual([true, false]);
    expect((reply.json['evaluations'] as Json[])[1]).toMatchObject({ context: { error: { status: 400 } } });
  });

  it('without a list are one evaluation', async () => {
    expect((await batch({})).json).toEqual((await ask(read())).json);
  });

  it('are at most fifty', async () => {
    const reply = await batch({ evaluations: Array.from({ length: 51 }, () => ({})) });
    expect(reply).toMatchObject({
      status: 400,
      json: { code: 'ERR_EVALUATION_INVALID', place: 'evaluations' },
    });
  });
});

it.each([
  ['no JSON', '{', undefined],
  ['another subject than an agent', { subject: { type: 'user', id: 'x' } }, 'subject.type'],
  ['no task', { context: { tool: 'sql.query' } }, 'context.task'],
  ['a dataset without a tool', { context: { task: '019b8e6a-7400-7000-8000-000000000001' } }, 'context.tool'],
])('refuses %s, and says where', async (_what, change, place) => {
  const reply = await ask(typeof change === 'string' ? change : read(change));
  expect(reply).toMatchObject({ status: 400, json: { code: 'ERR_EVALUATION_INVALID' } });
  expect(reply.json['place']).toBe(place);
});

it('says where to ask', async () => {
  const reply = await answered(await fetch(`${door.url}/.well-known/authzen-configuration`));
  expect(reply.json).toEqual({
    policy_decision_point: 'https://mayfly.example',
    access_evaluation_endpoint: 'https://mayfly.example/access/v1/evaluation',
    access_evaluations_endpoint: 'https://mayfly.example/access/v1/evaluations',
  });
});
