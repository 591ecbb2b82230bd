import type { Catalogue } from '#events/catalogue.js';
import type { TaskStarted } from '#events/inbound.js';
import type { EventOf } from '#events/outbound.js';
import type { Sender } from '#events/task.js';
import {
  asParent,
  hearAccepted,
  hearAmended,
  hearCall,
  hearEnd,
  hearEndedByBroker,
  hearRefused,
  hearStart,
  hearSuspended,
  unwatchedTask,
  type WatchedTask,
} from './watched-task.js';

const TASK = '0192aaaa-0000-7000-8000-000000000001';
const PARENT = '0192aaaa-0000-7000-8000-000000000002';
const MARIA = 'spiffe://corp.example/orchestrator/maria';
const MALLORY = 'spiffe://corp.example/orchestrator/mallory';
const AGENT = 'spiffe://corp.example/agent/executor';
const OPERATOR = 'spiffe://corp.example/operator/olga';
const STRANGER = 'spiffe://corp.example/agent/stranger';

const CROWD = Array.from({ length: 32 }, (_, n) => `${AGENT}-${n}`);

const agent = (id: string) => ({
  id,
  groups: [],
  owner: 'user:maria@corp.example',
  environment: 'production',
  attested: true,
  maxConcurrentTasks: 1,
});
const orchestrator = (id: string) => ({
  id,
  groups: [],
  owner: 'user:maria@corp.example',
  tenant: 'corp',
  agents: [AGENT],
  datasets: [],
  mayAssert: [],
  limits: { maxCalls: 1, maxRows: 1 },
  maxConcurrentTasks: 1,
});
const catalogue: Catalogue = {
  digest: 'sha256:00',
  orchestrators: new Map([MARIA, MALLORY].map((id) => [id, orchestrator(id)])),
  operators: new Map([[OPERATOR, { id: OPERATOR, roles: ['operator'] }]]),
  agents: new Map([AGENT, ...CROWD].map((id) => [id, agent(id)])),
  tools: new Map(),
  datasets: new Map(),
  targets: new Map(),
};
const facts = { catalogue, parent: null };

const start: TaskStarted = {
  taskId: TASK,
  purpose: 'Reconcile October invoices',
  objectiveSha256: 'ab'.repeat(32),
  principal: { id: 'user:maria@corp.example', kind: 'human' },
  agents: [{ id: AGENT }],
  declared: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }],
  deadline: '2026-11-24T19:45:00.000Z',
  risk: 'low',
};
const by = (id: string, ceId: string, keyThumbprint = `key of ${id}`): Sender => ({
  id,
  ceId,
  keyThumbprint,
});
const accepted = (
  orchestrator: string,
  causedBy: string,
  agentsMayEnd = false,
): EventOf<'task.accepted'> => ({
  type: 'task.accepted',
  data: {
    taskId: TASK,
    generation: 1,
    tenant: 'corp',
    causedBy,
    actor: '//mayfly/broker',
    at: '2026-11-24T19:00:00.000Z',
    orchestrator,
    principal: { id: 'user:maria@corp.example', kind: 'human', proved: 'asserted' },
    purpose: start.purpose,
    objectiveSha256: start.objectiveSha256,
    agents: [AGENT],
    declared: start.declared,
    deadline: start.deadline,
    risk: 'low',
    lineage: [{ taskId: TASK, generation: 1 }],
    policySet: 'sha256:00',
    bounds: orchestrator,
    agentsMayEnd,
    delegable: [],
    limits: { maxCalls: 1, maxRows: 1 },
    proofKey: `key of ${orchestrator}`,
    policies: [],
    inputs: 'sha256:00',
  },
});

const unknown = unwatchedTask(TASK);
const started = hearStart(unknown, start, by(MARIA, 'ce-start'), facts).task;
const open = hearAccepted(started, accepted(MARIA, 'ce-start'), 'ce-accepted', catalogue).task;
const end = (task: WatchedTask, sender: Sender) => hearEnd(task, 'completed', sender, catalogue);
const ends = { end: { outcome: 'completed', causedBy: 'ce-end' } };

describe('the end of a task (rule 5 of admission)', () => {
  it.each([
    ['not yet accepted', started],
    ['accepted', open],
  ])('is the word of its orchestrator, once it is %s', (_what, task) => {
    expect(end(task, by(MARIA, 'ce-end'))).toMatchObject(ends);
  });

  it.each([unknown, started, open])('is the word of an operator at any time', (task) => {
    expect(end(task, by(OPERATOR, 'ce-end'))).toMatchObject(ends);
  });

  it.each([STRANGER, AGENT, MALLORY])('is not the word of %s, who is refused', (id) => {
    const change = end(open, by(id, 'ce-end'));
    expect(change.end).toBeUndefined();
    expect(change.refusal?.code).toBe('ERR_NOT_ENTITLED');
    expect(change.task).toBe(open);
  });

  it('is the word of a named agent where the declaration says so', () => {
    const task = hearAccepted(unknown, accepted(MARIA, 'ce-start', true), 'ce-accepted', catalogue).task;
    expect(end(task, by(AGENT, 'ce-end'))).toMatchObject(ends);
  });

  it('happens once', () => {
    const ended = end(open, by(MARIA, 'ce-end')).task;
    expect(end(ended, by(MARIA, 'ce-again'))).toEqual({ task: ended });
    expect(hearEndedByBroker(ended, 'deadline', 'ce-broker')).toEqual({ task: ended });
  });

  it('is also the word of the broker, at the deadline', () => {
    expect(hearEndedByBroker(open, 'deadline', 'ce-broker')).toMatchObject({
      end: { outcome: 'deadline', causedBy: 'ce-broker' },
    });
  });
});

describe('a key (rule 4 of admission)', () => {
  it('is pinned at the start: with another one the end is refused', () => {
    expect(end(open, by(MARIA, 'ce-end', 'another key')).refusal?.code).toBe('ERR_KEY_CHANGED');
  });

  it("of an agent that may end is pinned at the agent's first call", () => {
    const task = hearAccepted(unknown, accepted(MARIA, 'ce-start', true), 'ce-accepted', catalogue).task;
    const called = hearCall(task, by(AGENT, 'ce-call')).task;
    expect(hearCall(called, by(AGENT, 'ce-call-2', 'another key'))).toEqual({ task: called });
    expect(end(called, by(AGENT, 'ce-end', 'another key')).refusal?.code).toBe('ERR_KEY_CHANGED');
    expect(end(called, by(AGENT, 'ce-end'))).toMatchObject(ends);
  });

  it('of anybody else is not remembered', () => {
    expect(hearCall(open, by(AGENT, 'ce-call')).task).toBe(open);
    expect(hearCall(open, by(STRANGER, 'ce-call')).task).toBe(open);
  });
});

describe('an end heard before its start', () => {
  it('counts once the start is known and makes its sender entitled', () => {
    const early = end(unknown, by(MARIA, 'ce-end'));
    expect(early.end).toBeUndefined();
    expect(hearStart(early.task, start, by(MARIA, 'ce-start'), facts)).toMatchObject(ends);
  });

  it('counts once the broker accepted a start that was never read here', () => {
    const early = end(unknown, by(MARIA, 'ce-end')).task;
    expect(hearAccepted(early, accepted(MARIA, 'ce-start'), 'ce-accepted', catalogue)).toMatchObject(ends);
  });

  it('of a stranger is not remembered: it could only crowd out others', () => {
    const change = end(unknown, by(STRANGER, 'ce-end'));
    expect(change.task).toBe(unknown);
    expect(change.refusal?.code).toBe('ERR_NOT_ENTITLED');
  });

  it('of an agent that may not end the task never counts', () => {
    const early = end(unknown, by(AGENT, 'ce-end')).task;
    const change = hearStart(early, start, by(MARIA, 'ce-start'), facts);
    expect(change.end).toBeUndefined();
    const settled = hearAccepted(change.task, accepted(MARIA, 'ce-start'), 'ce-accepted', catalogue);
    expect(settled.end).toBeUndefined();
    expect(settled.task.earlyEnds).toEqual([]);
  });

  it('is kept once per sender, and for at most 32 of them', () => {
    const once = end(unknown, by(AGENT, 'ce-1')).task;
    expect(end(once, by(AGENT, 'ce-2')).task).toBe(once);
    let task = unknown;
    for (const one of CROWD) task = end(task, by(one, 'ce-end')).task;
    const oneMore = end(task, by(AGENT, 'ce-end'));
    expect(oneMore.task.earlyEnds).toHaveLength(32);
    expect(oneMore.refusal?.code).toBe('ERR_NOT_ENTITLED');
  });
});

describe('a start', () => {
  it('of nobody in the catalogue is refused and burns no id', () => {
    const change = hearStart(unknown, start, by(STRANGER, 'ce-start'), facts);
    expect(change.refusal?.code).toBe('ERR_NOT_ENTITLED');
    expect(change.task).toBe(unknown);
  });

  it('that comes second does not make its sender entitled', () => {
    const both = hearStart(started, start, by(MALLORY, 'ce-second'), facts).task;
    expect(end(both, by(MALLORY, 'ce-end')).end).toBeUndefined();
    expect(end(both, by(MARIA, 'ce-end'))).toMatchObject(ends);
  });

  it('that the broker refused counts no more, and the next one does', () => {
    const both = hearStart(
      hearStart(unknown, start, by(MALLORY, 'ce-first'), facts).task,
      start,
      by(MARIA, 'ce-start'),
      facts,
    ).task;
    const early = end(both, by(MARIA, 'ce-end'));
    expect(early.end).toBeUndefined();
    expect(hearRefused(early.task, 'ce-first', catalogue)).toMatchObject(ends);
  });

  it('takes back an end that was said under another start than the accepted one', () => {
    const hijacked = end(
      hearStart(unknown, start, by(MALLORY, 'ce-first'), facts).task,
      by(MALLORY, 'ce-end'),
    ).task;
    const change = hearAccepted(hijacked, accepted(MARIA, 'ce-start'), 'ce-accepted', catalogue);
    expect(change).toMatchObject({ withdrawn: true, task: { ended: null } });
    expect(end(change.task, by(MARIA, 'ce-end'))).toMatchObject(ends);
  });

  it('of a child is measured against its parent', () => {
    const child = { ...start, parent: { taskId: PARENT } };
    const parent = asParent({ ...open, taskId: PARENT });
    expect(hearStart(unknown, child, by(AGENT, 'ce-child'), { catalogue, parent }).task.starts).toHaveLength(
      1,
    );
    expect(hearStart(unknown, child, by(STRANGER, 'ce-child'), { catalogue, parent }).refusal?.code).toBe(
      'ERR_NOT_ENTITLED',
    );
  });

  it("of a child whose parent is not known waits for the broker's word", () => {
    const child = { ...start, parent: { taskId: PARENT } };
    const heard = hearStart(unknown, child, by(AGENT, 'ce-child'), facts);
    expect(heard).toEqual({ task: unknown });
    const early = end(heard.task, by(AGENT, 'ce-end')).task;
    expect(hearAccepted(early, accepted(AGENT, 'ce-child'), 'ce-accepted', catalogue)).toMatchObject(ends);
  });
});

describe('a suspension', () => {
  const suspended: EventOf<'task.suspended'> = {
    type: 'task.suspended',
    data: { taskId: TASK, generation: 3, actor: '//mayfly/broker', at: '', cause: 'parked' },
  };
  const below = (generationBelow: number | null) => ({
    taskId: TASK,
    generationBelow,
    cause: 'parked' as const,
    causedBy: 'ce-before',
  });

  it('is remembered as the end of all generations before', () => {
    expect(hearSuspended(open, suspended, 'ce-suspended', [below(2)])).toEqual({
      task: open,
      suspension: { taskId: TASK, generationBelow: 3, cause: 'parked', causedBy: 'ce-suspended' },
    });
  });

  it('is remembered of a task not watched yet', () => {
    expect(hearSuspended(unknown, suspended, 'ce-suspended', []).suspension).toBeDefined();
  });

  it.each([
    ['was heard before', below(3)],
    ['came before one that was heard already', below(4)],
  ])('is no news where it %s', (_why, tombstone) => {
    expect(hearSuspended(open, suspended, 'ce-suspended', [tombstone])).toEqual({ task: open });
  });

  it('is remembered beside an end, which may be withdrawn, and beside what is said of others', () => {
    const elsewhere = { ...below(9), taskId: PARENT };
    expect(hearSuspended(open, suspended, 'ce-suspended', [below(null), elsewhere])).toMatchObject({
      suspension: { generationBelow: 3 },
    });
  });
});

describe('an amendment', () => {
  const later = '2026-11-24T23:00:00.000Z';
  const amendment = (change: Partial<EventOf<'task.amended'>['data']> = {}): EventOf<'task.amended'> => ({
    type: 'task.amended',
    data: {
      ...accepted(MARIA, 'ce-start').data,
      generation: 2,
      deadline: later,
      cause: 'amended',
      ...change,
    },
  });
  const hear = (task: WatchedTask, change?: Partial<EventOf<'task.amended'>['data']>) =>
    hearAmended(task, amendment(change), 'ce-amended', []);
  const watched: WatchedTask = {
    ...hearAccepted(unknown, accepted(MARIA, 'ce-start'), 'ce-accepted', catalogue).task,
    pins: { [AGENT]: 'first' },
  };
  const agentsMayEnd = {
    ...watched,
    accepted: { ...watched.accepted!, agents: [AGENT], agentsMayEnd: true },
  };

  it('is remembered as the end of all generations before, with its own cause', () => {
    expect(hear(watched).suspension).toEqual({
      ...{ taskId: TASK, generationBelow: 2, cause: 'amended', causedBy: 'ce-amended' },
    });
    expect(hear(unknown).suspension).toBeDefined();
  });

  it('is no news the second time', () => {
    const { task, suspension } = hear(watched);
    if (suspension === undefined) throw new Error('it was no news');
    expect(hearAmended(task, amendment(), 'ce-amended', [suspension])).toEqual({ task });
  });

  it('moves the deadline that is remembered later, and never earlier', () => {
    const { task } = hear(watched);
    expect(task.accepted?.deadlineMs).toBe(Date.parse(later));
    const back = hear(task, { generation: 3, deadline: '2026-11-24T20:00:00.000Z' });
    expect(back.task.accepted?.deadlineMs).toBe(Date.parse(later));
  });

  it('that re-keys an agent lets it end the task with its next key, and never with the former one', () => {
    const { task } = hear(agentsMayEnd, { cause: 'rekeyed', rekeyed: AGENT });
    const as = (key: string) => by(AGENT, 'ce-x', key);

    expect(hearCall(task, as('first')).task).toBe(task);
    expect(hearEnd(task, 'completed', as('first'), catalogue).refusal?.code).toBe('ERR_KEY_CHANGED');
    expect(hearCall(task, as('second')).task.pins).toEqual({ [AGENT]: 'second' });
    expect(hearEnd(task, 'completed', as('second'), catalogue).end).toBeDefined();
  });
});
