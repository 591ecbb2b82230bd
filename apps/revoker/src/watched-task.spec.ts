import {
  accepted,
  AGENT,
  by,
  catalogue,
  CROWD,
  end,
  ends,
  facts,
  MALLORY,
  MARIA,
  open,
  OPERATOR,
  PARENT,
  start,
  started,
  STRANGER,
  unknown,
} from './declared-task.contract.js';
import {
  asParent,
  hearAccepted,
  hearCall,
  hearEndedByBroker,
  hearRefused,
  hearStart,
} from './watched-task.js';

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
