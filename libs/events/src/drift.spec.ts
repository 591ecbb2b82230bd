import fc from 'fast-check';
import { Drifting, weighing } from '../test/drifting.js';
import {
  ANALYST,
  CALL,
  call as callOf,
  callFacts,
  judge,
  NOW,
  openTask,
  PLANNER,
  sender,
  TASK,
} from '../test/fixture.js';
import { questionOf } from './call-question.js';
import { decideCall } from './call.js';
import { DRIFT_RULES, scoreAfter } from './drift.js';
import { DRIFT_SIGNALS, type DriftSignal } from './drift-signal.js';
import { outboundSchemas } from './outbound.js';
import { decideSuspension } from './suspend-task.js';
import type { CallQuestion } from './verdict.js';

/** What is seen in no call: it can be shown one by one, without a call that says more. */
const QUIET = 'granted_unused';
const BY = sender(ANALYST);
const told = (agent: Drifting) => agent.told.map(({ type, data }) => ('score' in data ? data.score : type));

describe('the score', () => {
  it.each(DRIFT_SIGNALS)('grows by the weight of %s', (signal) => {
    const agent = new Drifting();

    agent.shows(signal);

    expect(agent.score).toBe(DRIFT_RULES.weights[signal]);
  });

  it('grows with each time, whoever gives the signal, to 100 at most', () => {
    const agents = new Drifting(weighing({ dataset_creep: 40 }));
    agents.shows('dataset_creep');
    agents.shows('dataset_creep', PLANNER);
    expect(agents.score).toBe(80);

    agents.shows('dataset_creep');
    expect(agents.score).toBe(100);
  });

  it('is told with what it is made of', () => {
    const agent = new Drifting();
    agent.asks({ dataset: 'hr.salaries' });

    expect(agent.told).toEqual([
      {
        type: 'drift.signalled',
        data: {
          ...{ taskId: TASK, generation: 1, tenant: 'corp', causedBy: 'ce-1', actor: '//mayfly/broker' },
          ...{ at: '2026-11-24T12:00:00.000Z', callId: CALL, agent: ANALYST },
          ...{ signal: 'dataset_creep', weight: 25, score: 25, count: 1 },
        },
      },
    ]);
    expect(agent.task.drift).toEqual({
      score: 25,
      signals: [
        {
          ...{ signal: 'dataset_creep', agent: ANALYST, count: 1 },
          ...{ firstAt: '2026-11-24T12:00:00.000Z', lastAt: '2026-11-24T12:00:00.000Z' },
        },
      ],
    });
  });

  it('is nothing, and nothing is told, where nothing is seen', () => {
    const agent = new Drifting();
    agent.asks();

    expect(agent.told).toEqual([]);
    expect(agent.task.drift).toBeUndefined();
    expect(agent.score).toBe(0);
  });

  it('never falls, though weights are others by now', () => {
    expect(scoreAfter(60, ['dataset_creep'], weighing({ dataset_creep: 0 }))).toBe(60);
    expect(scoreAfter(100, ['dataset_creep'], DRIFT_RULES)).toBe(100);
  });

  it('is what policy sees, with what the call itself adds', () => {
    const asked: CallQuestion[] = [];
    const asking = { ...judge(), decideCall: (q: CallQuestion) => (asked.push(q), judge().decideCall(q)) };
    const agent = new Drifting();
    agent.asks({ dataset: 'hr.salaries' });
    agent.asks({ model: { name: 'one' } }, { judge: asking });
    agent.asks({ model: { name: 'two' } }, { judge: asking });

    expect(asked.map(({ now }) => now.drift)).toEqual([25, 65]);
  });

  it('is what policy sees of a renewal', () => {
    const agent = new Drifting();
    agent.asks({ dataset: 'hr.salaries' });
    const { declaration } = agent.task;
    if (declaration === null) throw new Error('the task of the fixture has no declaration');

    const facts = { ...callFacts(), task: agent.task };
    const question = questionOf(callOf(), BY, declaration, facts, { renewals: 1, approvers: null });

    expect(question.now).toMatchObject({ renewals: 1, drift: 25 });
  });

  it('grows by no call that is only evaluated, or decided again', () => {
    const decided = decideCall({ ...callOf(), dataset: 'hr.salaries' }, BY, callFacts());

    expect(decided.is === 'decided' && decided.decided.data.signals).toBeUndefined();
  });
});

describe('a task that has drifted too far', () => {
  const salaries = { dataset: 'hr.salaries' };

  it('is suspended, in a new generation, with the call that was too much', () => {
    const agent = new Drifting();
    for (let n = 1; n < 4; n += 1) agent.asks(salaries);
    expect(agent.task.status).toBe('open');

    const last = agent.asks(salaries);

    expect(last.refusal?.code).toBe('ERR_NOT_DECLARED');
    expect(told(agent)).toEqual([25, 50, 75, 100, 'task.suspended']);
    expect(agent.told.at(-1)?.data).toMatchObject({ cause: 'drift', generation: 2, causedBy: 'ce-1' });
    expect(agent.task).toMatchObject({ status: 'suspended', generation: 2, suspendedFor: ['drift'] });
    expect(agent.asks().refusal?.code).toBe('ERR_TASK_SUSPENDED');
  });

  it('gets nothing for the call that was too much, though all else would permit it', () => {
    const agent = new Drifting(weighing({}, 40));
    agent.asks({ model: { name: 'one' } });

    const last = agent.asks({ model: { name: 'two' } });

    expect(last).toMatchObject({ intended: null, refusal: { code: 'ERR_TASK_SUSPENDED' } });
    expect(last.decided.data.checks.at(-1)).toMatchObject({ check: 'not_drifted', ok: false });
    expect(agent.task.status).toBe('suspended');
  });

  it('is not suspended once it is over, nor twice', () => {
    const over = new Drifting(weighing({}, 20), { ...openTask(), status: 'ended', outcome: 'completed' });
    over.asks();
    expect(told(over)).toEqual([20]);

    const agent = new Drifting(weighing({}, 5));
    agent.shows(QUIET);
    agent.shows(QUIET);
    expect(told(agent)).toEqual([5, 'task.suspended', 10]);
  });

  it('is suspended for drift too where it is suspended for something else', () => {
    const agent = new Drifting(weighing({}, 5));
    const parked = decideSuspension(agent.task, { cause: 'parked', causedBy: undefined, nowMs: NOW });
    agent.task = { ...agent.task, status: 'suspended', suspendedFor: ['parked'], generation: 2 };
    expect(parked).toHaveLength(1);

    agent.shows(QUIET);

    expect(agent.task).toMatchObject({ suspendedFor: ['parked', 'drift'], generation: 3 });
  });

  it('never is, where no signal weighs anything: it is told all the same', () => {
    const nothing = Object.fromEntries(DRIFT_SIGNALS.map((signal) => [signal, 0]));
    const agent = new Drifting(weighing(nothing));
    for (let n = 0; n < 5; n += 1) agent.asks(salaries);

    expect(agent.task.status).toBe('open');
    expect(told(agent)).toEqual([0, 0, 0]);
  });
});

describe('a flood of signals', () => {
  const played = fc.array(fc.tuple(fc.constantFrom(...DRIFT_SIGNALS), fc.constantFrom(ANALYST, PLANNER)), {
    maxLength: 300,
  });
  const weights = fc.record(
    Object.fromEntries(DRIFT_SIGNALS.map((signal) => [signal, fc.integer({ min: 0, max: 100 })])) as Record<
      DriftSignal,
      fc.Arbitrary<number>
    >,
  );

  it('is told in few events, and remembered in few lines', () => {
    const agent = new Drifting(weighing({ [QUIET]: 0 }));
    for (let n = 0; n < 1_000; n += 1) agent.shows(QUIET);

    expect(agent.told.map(({ data }) => 'count' in data && data.count)).toEqual([
      1, 2, 4, 8, 16, 32, 64, 128, 256, 512,
    ]);
    expect(agent.task.drift?.signals).toHaveLength(1);
    expect(agent.seen).toEqual({ [QUIET]: 1_000 });
  });

  it('whatever it is made of, never lowers the score, and suspends the task once, as soon as the score is there', () => {
    fc.assert(
      fc.property(played, weights, fc.integer({ min: 1, max: 100 }), (signals, given, suspendAt) => {
        const agents = new Drifting(weighing(given, suspendAt));
        let before = 0;
        for (const [signal, agent] of signals) {
          agents.shows(signal, agent);
          expect(agents.score).toBe(Math.min(100, before + given[signal]));
          expect(agents.task.status).toBe(agents.score >= suspendAt ? 'suspended' : 'open');
          before = agents.score;
        }
        expect(agents.told.filter(({ type }) => type === 'task.suspended').length).toBeLessThanOrEqual(1);
        // One for each change of the score, and one for each doubling of each line.
        expect(agents.told.length).toBeLessThanOrEqual(101 + 2 * DRIFT_SIGNALS.length * 9);
        for (const { type, data } of agents.told) outboundSchemas[type].parse(data);
      }),
      { numRuns: 200 },
    );
  });
});
