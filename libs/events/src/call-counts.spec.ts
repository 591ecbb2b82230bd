import {
  call,
  callFacts,
  judge,
  NOW,
  openTask,
  ANALYST,
  ORCHESTRATOR,
  sender,
  startFacts,
  TASK,
} from '../test/fixture.js';
import { decideAmendment } from './amend-task.js';
import { decideCall } from './call.js';
import { countOf, countsAfter } from './call-counts.js';
import type { ToolCalled } from './inbound.js';
import { evolve, type Task } from './task.js';
import type { CallQuestion, CallVerdict } from './verdict.js';

const ORDERS = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }];
const SALARIES = [{ tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'] }];

/** The task after a call that policy answers so. */
function called(task: Task, change: Partial<ToolCalled> = {}, verdict: Partial<CallVerdict> = {}): Task {
  const facts = callFacts({ task, judge: judge({ call: verdict }) });
  const result = decideCall(call(change), sender(ANALYST), facts);
  if (result.is === 'rejected') throw new Error('the call was rejected');
  return evolve(task, result.decided);
}

/** What policy is asked of the next call. */
function nowOf(task: Task, change: Partial<ToolCalled> = {}): CallQuestion['now'] | undefined {
  const asked: CallQuestion[] = [];
  const listens = {
    ...judge(),
    decideCall: (question: CallQuestion) => (asked.push(question), judge().decideCall(question)),
  };
  decideCall(call(change), sender(ANALYST), callFacts({ task, judge: listens }));
  return asked[0]?.now;
}

function amended(task: Task, declared: typeof ORDERS): Task {
  const decided = decideAmendment(
    task,
    { taskId: TASK, declared },
    sender(ORCHESTRATOR, 'ce-2'),
    startFacts(),
  );
  if (decided.is !== 'decided') throw new Error('the amendment was refused');
  return decided.events.reduce(evolve, task);
}

it('counts the calls of each tool and dataset', () => {
  const task = called(called(openTask({ declared: [...ORDERS, ...SALARIES] })), { dataset: 'hr.salaries' });

  expect(nowOf(openTask())).toMatchObject({ calls: 0, callsOfTool: 0, callsOfDataset: 0, refused: 0 });
  expect(nowOf(task)).toMatchObject({ calls: 2, callsOfTool: 2, callsOfDataset: 1, refused: 0 });
});

it('counts the calls that were denied, by policy or by a wall', () => {
  const denied = called(openTask(), {}, { decision: 'deny', code: 'ERR_DATASET_FORBIDDEN' });
  const walled = called(denied, { dataset: 'hr.salaries' });

  expect(nowOf(walled)).toMatchObject({ calls: 2, refused: 2 });
});

it('counts a call that waits for people once they have answered', () => {
  const waiting = called(openTask(), {}, { decision: 'approval_required' });

  expect(nowOf(waiting)).toMatchObject({ calls: 1, callsOfTool: 0, callsOfDataset: 0, refused: 0 });
  expect(nowOf(called(waiting))).toMatchObject({ callsOfTool: 1, callsOfDataset: 1, refused: 0 });
});

it('keeps no names that the task never declared: whoever makes them up would make its row grow', () => {
  const names = Array.from({ length: 50 }, (_, n) => ({ tool: `made-up-${n}`, dataset: `made-up-${n}` }));
  const task = names.reduce((before, name) => called(before, name), called(openTask()));

  expect(task.usage).toMatchObject({
    calls: 51,
    denied: 50,
    ofTools: { 'sql.query': 1 },
    ofDatasets: { 'crm.orders': 1 },
  });
});

it('goes on counting what an amendment took away and another brought back', () => {
  const without = amended(called(openTask()), SALARIES);
  const back = amended(called(without), ORDERS);

  expect(nowOf(back)).toMatchObject({ callsOfTool: 2, callsOfDataset: 2 });
});

it('counts from nothing in a task that was kept before there were such counts', () => {
  const { calls, refused, rows, recentCallsMs } = called(openTask()).usage;
  const old = { ...openTask(), usage: { calls, refused, rows, recentCallsMs } };

  expect(nowOf(old)).toMatchObject({ calls: 1, callsOfTool: 0, callsOfDataset: 0, refused: 0 });
  expect(nowOf(called(old))).toMatchObject({ calls: 2, callsOfTool: 1, callsOfDataset: 1 });
});

it('takes the name of what every object has for a name', () => {
  const declared = [{ tool: 'constructor', actions: ['read'] }];
  const counts = countsAfter({}, { decision: 'permit', tool: 'constructor' }, declared);

  expect(countOf({}, 'constructor')).toBe(0);
  expect(countOf(counts.ofTools, 'constructor')).toBe(1);
  expect(counts.ofDatasets).toEqual({});
});

it('tells policy what the call says of itself, and when its task began', () => {
  const asked: CallQuestion[] = [];
  const listens = {
    ...judge(),
    decideCall: (question: CallQuestion) => (asked.push(question), judge().decideCall(question)),
  };
  const model = { name: 'reader', version: '4' };
  const said = { model, argumentsSha256: 'b'.repeat(64) };
  decideCall(call(said), sender(ANALYST), callFacts({ judge: listens, nowMs: NOW + 60_000 }));

  expect(asked[0]).toMatchObject({ ...said, task: { startedAtMs: NOW, objectiveSha256: 'a'.repeat(64) } });
});
