import type { EventOf } from '#events/outbound.js';
import {
  accepted,
  AGENT,
  by,
  catalogue,
  MARIA,
  open,
  PARENT,
  TASK,
  unknown,
} from './declared-task.contract.js';
import {
  hearAccepted,
  hearAmended,
  hearCall,
  hearEnd,
  hearSuspended,
  type WatchedTask,
} from './watched-task.js';

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
