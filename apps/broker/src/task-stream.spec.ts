import { unknownTask } from '#events/task.js';
import type { StoredEvent } from '#store/events.js';
import { upcast, type Upcasts } from '#store/upcast.js';
import { readHistories } from '../test/history.js';
import { foldTask, TASK_SHAPE } from './task-stream.js';
import { brokerUpcasts } from './upcasts.js';

const histories = readHistories();
const fold = (taskId: string, events: readonly StoredEvent[], upcasts: Upcasts = brokerUpcasts) =>
  JSON.parse(
    JSON.stringify(
      foldTask(
        taskId,
        events.map((event) => upcast(event, upcasts)),
      ),
    ),
  ) as object;

describe('a recorded history', () => {
  it.each(histories)('%s leads to the task that was kept', (_name, { taskId, events, row }) => {
    const task = fold(taskId, events);

    // A later shape may have members more.
    if (row.shape === TASK_SHAPE) expect(task).toEqual(row.state);
    else expect(task).toMatchObject(row.state);
    expect(task).toMatchObject({ taskId, version: row.version, status: row.status });
  });

  it('is there for every type that a stream may hold', () => {
    const types = new Set(histories.flatMap(([, { events }]) => events.map((event) => event.type)));

    expect([...types].sort()).toEqual(Object.keys(brokerUpcasts).sort());
  });

  it.each(histories)(
    '%s is read with members of its events that nobody knows',
    (_name, { taskId, events, row }) => {
      // What is kept as it was said is kept with them.
      const known = events.filter((event) => event.type !== 'task.end_heard_early');
      const strange = known.map((event) => ({ ...event, data: { ...event.data, colour: 'red' } }));

      expect(fold(taskId, strange)).toEqual(fold(taskId, known));
      expect(row.version).toBe(events.length);
    },
  );
});

/** No type of ours has a second version yet, so this is how it will be: a member has another name and another unit. */
describe('a history from before a change', () => {
  const [, history] = histories.find(([name]) => name === '0.1.0/used-and-ended') ?? [];
  if (history === undefined) throw new Error('the history is missing');
  const { taskId, events, row } = history;
  const before = events.map((event) => {
    if (event.type !== 'task.usage_reported') return event;
    const { rows, ...rest } = event.data as { rows: number };
    return { ...event, schemaVersion: 1, data: { ...rest, dozens: rows / 12, colour: 'red' } };
  });
  const upcasts: Upcasts = {
    ...brokerUpcasts,
    'task.usage_reported': [({ dozens, ...rest }) => ({ ...rest, rows: Number(dozens) * 12 })],
  };

  it('is lifted to the shape of today', () => {
    expect(fold(taskId, before, upcasts)).toMatchObject(row.state);
  });

  it('would lead to another task if it were not', () => {
    expect(fold(taskId, before)).not.toEqual(fold(taskId, before, upcasts));
  });

  it('is refused by the release before the change, which cannot know what it means', () => {
    const after = events.map((event) => ({ ...event, schemaVersion: 2 }));

    expect(() => fold(taskId, after)).toThrow(
      expect.objectContaining({ code: 'ERR_EVENT_VERSION_UNKNOWN' }) as Error,
    );
  });
});

it('knows nothing of a task without events', () => {
  expect(foldTask('task-1', [])).toEqual(unknownTask('task-1'));
});
