/** A task is re-keyed because somebody else has a key of its agent: it is good for nothing in the task, nor in any task below it. */
import {
  ANALYST,
  call,
  callFacts,
  CHILD,
  NOW,
  openTask,
  sender,
  start,
  startFacts,
  TASK,
} from '../test/fixture.js';
import { decideAmendment } from './amend-task.js';
import { decideCall } from './call.js';
import { decideStart } from './declare-task.js';
import { unknownTask, type Task } from './task.js';

const STOLEN = 'stolen';
const parent: Task = { ...openTask({ delegable: start().declared }), formerKeys: { [ANALYST]: [STOLEN] } };
/** Of one that whoever has the key started in time. */
const child: Task = {
  ...openTask({ taskId: CHILD, parent: { taskId: TASK } }, [parent]),
  pins: { [ANALYST]: STOLEN },
};
child.declaration = { ...child.declaration!, orchestrator: ANALYST };

const by = (key: string) => sender(ANALYST, 'ce-2', key);
const codeOf = (decided: { is: string; refusal?: { code: string } | null }) =>
  decided.is === 'rejected' ? decided.refusal?.code : decided.is;

const says: [what: string, say: (key: string, above: Task) => ReturnType<typeof codeOf>][] = [
  [
    'the start of a task below it',
    (key, above) =>
      codeOf(
        decideStart(
          unknownTask(CHILD),
          start({ taskId: CHILD, parent: { taskId: TASK } }),
          by(key),
          startFacts([above]),
        ),
      ),
  ],
  [
    'a call in a task below it',
    (key, above) =>
      codeOf(
        decideCall(
          call({ taskId: CHILD }),
          by(key),
          callFacts({ task: { ...child, pins: { [ANALYST]: key } }, ancestors: [above] }),
        ),
      ),
  ],
  [
    'the amendment of a task below it',
    (key, above) =>
      codeOf(
        decideAmendment(
          { ...child, pins: { [ANALYST]: key } },
          { taskId: CHILD, deadline: new Date(NOW + 60_000).toISOString() },
          by(key),
          startFacts([above]),
        ),
      ),
  ],
];

it.each(says)('rejects %s with a former key', (_what, say) => {
  expect(say(STOLEN, parent)).toBe('ERR_KEY_CHANGED');
});

it.each(says)('takes %s with the next key', (_what, say) => {
  expect(say('next', parent)).toBe('decided');
});

it.each(says)('takes %s with a key that nobody has lost', (_what, say) => {
  expect(say(STOLEN, { ...parent, formerKeys: {} })).toBe('decided');
});
