import { Drifting, weighing } from '../test/drifting.js';
import { ANALYST, catalogue, NOW, openTask, ORCHESTRATOR } from '../test/fixture.js';
import type { Catalogue } from './catalogue.js';
import { decideResumptionAfterDrift, type PersonsWord } from './resume-task.js';
import { evolve, unknownTask, type Task } from './task.js';

const OLGA = 'user:olga@corp.example';
const MARIA = 'user:maria@corp.example';
const NADIA = 'user:nadia@corp.example';
const ROBOT = 'spiffe://dev.mayfly/operator/approver';
const people: Catalogue = {
  ...catalogue,
  operators: new Map([
    [OLGA, { id: OLGA, roles: ['approver'] }],
    [MARIA, { id: MARIA, roles: ['approver'] }],
    [NADIA, { id: NADIA, roles: ['operator'] }],
    [ROBOT, { id: ROBOT, roles: ['approver'] }],
  ]),
};

/** Suspended for drift, after two calls that were permitted. */
function drifted(): Task {
  const agent = new Drifting(weighing({}, 50));
  for (const dataset of ['crm.orders', 'crm.orders', 'hr.salaries', 'hr.salaries'])
    agent.asks({ dataset, model: { name: 'm' } });
  return agent.task;
}
const decide = (task: Task, word: PersonsWord = { by: OLGA }, known = people) =>
  decideResumptionAfterDrift(task, word, { ancestors: [], catalogue: known, nowMs: NOW });
function resumed(task: Task, word?: PersonsWord): Task {
  const decided = decide(task, word);
  if (decided.is === 'rejected') throw new Error(decided.refusal.code);
  return evolve(task, decided.event);
}
const codeOf = (...given: Parameters<typeof decide>) => {
  const decided = decide(...given);
  return decided.is === 'rejected' ? decided.refusal.code : 'resumed';
};

it('lets the task go on in its new generation, by name and with a reason', () => {
  expect(decide(drifted(), { by: OLGA, reason: 'a new report was asked for' })).toMatchObject({
    is: 'resumed',
    event: {
      type: 'task.resumed',
      data: { actor: OLGA, cause: 'drift', generation: 2, reason: 'a new report was asked for' },
    },
  });
  expect(resumed(drifted())).toMatchObject({ status: 'open', generation: 2, suspendedFor: [] });
});

it('forgives what was seen before: refused calls, models, and all that was signalled', () => {
  expect(drifted()).toMatchObject({
    drift: { score: 50 },
    conduct: { [ANALYST]: { decided: 4, refused: 2 } },
  });

  const task = resumed(drifted());

  expect(task.drift).toBeUndefined();
  expect(task.conduct).toEqual({});
});

it('does not forget that uses are reported', () => {
  const used: Task = { ...drifted(), conduct: { [ANALYST]: { decided: 4, refused: 2, reports: true } } };

  expect(resumed(used).conduct).toEqual({ [ANALYST]: { decided: 0, refused: 0, reports: true } });
});

it('lets an agent go on with the model that had its task suspended', () => {
  const agent = new Drifting(weighing({}, 40));
  for (const name of ['one', 'two']) agent.asks({ model: { name } });
  expect(agent.task.status).toBe('suspended');

  const again = new Drifting(weighing({}, 40), resumed(agent.task));
  again.asks({ model: { name: 'two' } });
  again.asks({ model: { name: 'two' } });

  expect(again.task).toMatchObject({ status: 'open', usage: { calls: 4 } });
});

it('can be needed again', () => {
  const again = new Drifting(weighing({}, 50), resumed(drifted()));
  again.asks({ dataset: 'hr.salaries' });
  expect(again.task.status).toBe('open');
  again.asks({ dataset: 'hr.salaries' });

  expect(again.task).toMatchObject({ status: 'suspended', generation: 3 });
  expect(resumed(again.task)).toMatchObject({ status: 'open', generation: 3 });
});

it('leaves the task suspended for what else it is suspended', () => {
  const task: Task = { ...drifted(), suspendedFor: ['parked', 'drift'] };

  expect(resumed(task)).toMatchObject({ status: 'suspended', suspendedFor: ['parked'] });
});

it.each<[what: string, task: Task, by: string, code: string]>([
  ['of a task that nobody declared', unknownTask('t'), OLGA, 'ERR_TASK_UNKNOWN'],
  ['of a task that has ended', { ...drifted(), status: 'ended' }, OLGA, 'ERR_TASK_ENDED'],
  ['of a task that is open', openTask(), OLGA, 'ERR_TASK_NOT_DRIFTED'],
  [
    'of a task that is suspended for something else',
    { ...drifted(), suspendedFor: ['parked'] },
    OLGA,
    'ERR_TASK_NOT_DRIFTED',
  ],
  ['by somebody who is no approver', drifted(), NADIA, 'ERR_NOT_ENTITLED'],
  ['by somebody whom nobody knows', drifted(), 'user:eve@corp.example', 'ERR_NOT_ENTITLED'],
  ['by a service', drifted(), ROBOT, 'ERR_NOT_ENTITLED'],
  ['by its own orchestrator', drifted(), ORCHESTRATOR, 'ERR_NOT_ENTITLED'],
  ['by the person for whom it runs', drifted(), MARIA, 'ERR_APPROVER_INVOLVED'],
])('is refused %s', (_what, task, by, code) => expect(codeOf(task, { by })).toBe(code));

it('is refused by who owns the agent that drifted', () => {
  const analyst = people.agents.get(ANALYST);
  if (analyst === undefined) throw new Error('the fixture has no analyst');
  const agents = new Map([...people.agents, [ANALYST, { ...analyst, owner: OLGA }]]);

  expect(codeOf(drifted(), { by: OLGA }, { ...people, agents })).toBe('ERR_APPROVER_INVOLVED');
});
