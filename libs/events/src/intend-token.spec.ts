import {
  ANALYST,
  call,
  callFacts,
  catalogue,
  CHILD,
  HASH,
  NOW,
  ORCHESTRATOR,
  PLANNER,
  sender,
  startFacts,
  start,
  TASK,
} from '../test/fixture.js';
import { decideCall } from './call.js';
import type { CallFacts } from './call-facts.js';
import type { Catalogue } from './catalogue.js';
import { decideStart } from './declare-task.js';
import type { TaskStarted, ToolCalled } from './inbound.js';
import { planSchema } from './lease-plan.js';
import { evolve, unknownTask, type Task } from './task.js';

const ORDERS = 'https://orders.example';
const GRANDCHILD = '01930000-0000-7000-8000-000000000003';
const tool = { groups: [], risk: 10, external: false, verifiers: [] };
/** The sample world with a service that takes tokens: behind a dataset, and by itself. */
const withService: Catalogue = {
  ...catalogue,
  tools: new Map([
    ...catalogue.tools,
    ['orders.api', { ...tool, id: 'orders.api', dataset: 'required', actions: ['read', 'write'] }],
    ['clock.api', { ...tool, id: 'clock.api', dataset: 'none', actions: ['read'], target: 'orders-api' }],
    ['mail.send', { ...tool, id: 'mail.send', dataset: 'none', actions: ['send'] }],
    ['sql.admin', { ...tool, id: 'sql.admin', dataset: 'none', actions: ['read'], target: 'shop' }],
  ]),
  datasets: new Map([
    ...catalogue.datasets,
    [
      'orders',
      {
        ...catalogue.datasets.get('crm.orders')!,
        id: 'orders',
        target: 'orders-api',
        actions: new Map([['read', { rights: ['read', 'count'], cedar: 'readDataset' }]]),
      },
    ],
  ]),
  targets: new Map([
    ...catalogue.targets,
    ['orders-api', { id: 'orders-api', provider: 'jwt', maxTtlMs: 60_000, audience: ORDERS }],
  ]),
  orchestrators: new Map(
    [...catalogue.orchestrators].map(([id, entry]) => [
      id,
      { ...entry, datasets: [...entry.datasets, 'orders'] },
    ]),
  ),
};
const declared: TaskStarted['declared'] = [
  { tool: 'orders.api', dataset: 'orders', actions: ['read'] },
  { tool: 'clock.api', actions: ['read'] },
  { tool: 'mail.send', actions: ['send'] },
  { tool: 'sql.admin', actions: ['read'] },
];
const agents = [{ id: ANALYST }, { id: PLANNER }];

function task(change: Partial<TaskStarted>, by: string, ancestors: readonly Task[] = []): Task {
  const data = start({ agents, declared, delegable: declared, ...change });
  const facts = { ...startFacts(ancestors), catalogue: withService };
  const decided = decideStart(unknownTask(data.taskId), data, sender(by), facts);
  if (decided.is !== 'decided') throw new Error('the start of the fixture was refused');
  return decided.events.reduce(evolve, unknownTask(data.taskId));
}

const asked = { tool: 'orders.api', dataset: 'orders' } as const;
const decide = (change: Partial<ToolCalled> = {}, facts: Partial<CallFacts> = {}, by = ANALYST) => {
  const own = { catalogue: withService, task: task({}, ORCHESTRATOR), ...facts };
  const result = decideCall(call({ ...asked, ...change }), sender(by), callFacts(own));
  if (result.is === 'rejected') throw new Error(`rejected: ${result.refusal.code}`);
  return result;
};

describe('a call for a token', () => {
  it('is an intent that holds all that the token will say, and no secret', () => {
    const { intended, decided } = decide({ argumentsSha256: HASH, ttlMs: 300_000 });

    expect(decided.data.decision).toBe('permit');
    expect(intended?.data).toMatchObject({
      provider: 'jwt',
      target: 'orders-api',
      rights: ['read', 'count'],
      notAfter: new Date(NOW + 60_000).toISOString(),
    });
    expect(intended?.data.token).toEqual({
      audience: ORDERS,
      subject: 'user:maria@corp.example',
      agent: ANALYST,
      jkt: `key of ${ANALYST}`,
      task: TASK,
      tool: 'orders.api',
      dataset: 'orders',
      actions: ['read', 'count'],
      lineage: [{ taskId: TASK, generation: 1 }],
      act: { sub: ANALYST },
      argumentsSha256: HASH,
    });
  });

  it('keeps its token on the way through the bus', () => {
    const { intended } = decide();

    expect(planSchema.parse(JSON.parse(JSON.stringify(intended?.data))).token).toEqual(intended?.data.token);
  });

  it('has a place in a status list where there are any, and takes none without a permit', () => {
    const taken: number[] = [];
    const newStatus = () => {
      taken.push(7);
      return { uri: 'https://mayfly.example/status/0', idx: 7 };
    };

    const { intended } = decide({}, { newStatus });
    decide({ objectiveSha256: 'b'.repeat(64) }, { newStatus });

    expect(intended?.data.token?.status).toEqual({ uri: 'https://mayfly.example/status/0', idx: 7 });
    expect(taken).toEqual([7]);
  });

  it('of a tool without a dataset is for the target of the tool', () => {
    const { intended } = decide({ tool: 'clock.api', dataset: undefined });

    expect(intended?.data).toMatchObject({ target: 'orders-api', rights: ['read'] });
    expect(intended?.data.token).toMatchObject({ tool: 'clock.api', actions: ['read'] });
    expect(intended?.data.token).not.toHaveProperty('dataset');
  });

  it('gets nothing of a tool that has no target, or one whose rights are no actions', () => {
    expect(decide({ tool: 'mail.send', dataset: undefined, action: 'send' }).refusal?.code).toBe(
      'ERR_KIND_UNSUPPORTED',
    );
    expect(decide({ tool: 'sql.admin', dataset: undefined }).refusal?.code).toBe('ERR_KIND_UNSUPPORTED');
  });

  it('gets no user of a database in its place', () => {
    expect(decide({ credential: 'postgres' }).refusal?.code).toBe('ERR_KIND_UNSUPPORTED');
    expect(decide({ credential: 'jwt' }).refusal).toBeNull();
  });
});

it('a call for a user of a database says nothing of a token', () => {
  const result = decideCall(call(), sender(ANALYST), callFacts({ catalogue: withService }));

  expect(result.is === 'decided' && result.intended?.data.provider).toBe('postgres');
  expect(result.is === 'decided' && result.intended?.data).not.toHaveProperty('token');
});

describe('who acts', () => {
  const parent = task({}, ORCHESTRATOR);
  const child = (by: string) => task({ taskId: CHILD, parent: { taskId: TASK } }, by, [parent]);
  const actOf = (facts: Partial<CallFacts>, by = ANALYST) =>
    decide({ taskId: facts.task?.taskId ?? TASK }, facts, by).intended?.data.token?.act;

  it('is the agent, inside it the agent that handed on to it', () => {
    expect(actOf({ task: child(PLANNER), ancestors: [parent] })).toEqual({
      sub: ANALYST,
      act: { sub: PLANNER },
    });
  });

  it('is not the orchestrator of the parent: nobody was given anything by it', () => {
    expect(actOf({ task: child(ORCHESTRATOR), ancestors: [parent] })).toEqual({ sub: ANALYST });
  });

  it('is one actor where an agent hands on to itself', () => {
    expect(actOf({ task: child(ANALYST), ancestors: [parent] })).toEqual({ sub: ANALYST });
  });

  it('goes back through every child that an agent started', () => {
    const second = child(PLANNER);
    const third = task({ taskId: GRANDCHILD, parent: { taskId: CHILD } }, ANALYST, [second, parent]);

    expect(actOf({ task: third, ancestors: [second, parent] }, PLANNER)).toEqual({
      sub: PLANNER,
      act: { sub: ANALYST, act: { sub: PLANNER } },
    });
  });

  it('is refused where a token could not name them all', () => {
    const chain = [parent];
    for (let n = 0; n < 4; n += 1) {
      const taskId = `01930000-0000-7000-8000-00000000010${n}`;
      const by = n % 2 === 0 ? PLANNER : ANALYST;
      chain.unshift(task({ taskId, parent: { taskId: chain[0]?.taskId ?? '' } }, by, chain));
    }
    const [own, ...ancestors] = chain;
    const result = decide({ taskId: own?.taskId ?? '' }, { task: own!, ancestors }, PLANNER);

    expect(result.refusal?.code).toBe('ERR_NOT_DELEGABLE');
    expect(result.decided.data.checks.at(-1)).toMatchObject({ check: 'actors_fit', ok: false });
    expect(result.intended).toBeNull();
    const three = ancestors.slice(1);
    expect(
      decide({ taskId: three[0]?.taskId ?? '' }, { task: three[0]!, ancestors: three.slice(1) }).refusal,
    ).toBeNull();
  });
});
