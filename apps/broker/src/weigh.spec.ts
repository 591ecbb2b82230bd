import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import { TASK_EVENTS } from '#events/topics.js';
import { isAwaited, weightOf } from './weigh.js';

const claiming = (type: string): BusRecord => ({
  topic: TASK_EVENTS,
  partition: 0,
  offset: 0n,
  appendedAtMs: 0,
  key: null,
  value: null,
  headers: { [HEADERS.type]: Buffer.from(wireType(type)) },
});

// A declaration may ask policy 512 times, 0.7 s. Many of them decided in one transaction would outlast its idle time.
it('lets four declarations into one transaction, or a hundred calls', () => {
  expect(weightOf(claiming('task.started'))).toBe(25);
  expect(weightOf(claiming('tool.called'))).toBe(1);
  expect(weightOf({ ...claiming('tool.called'), headers: {} })).toBe(1);
});

it('lets ends alone gather: whatever else is said, somebody waits for it', () => {
  expect(isAwaited(claiming('task.ended'))).toBe(false);
  for (const type of ['tool.called', 'task.started', 'task.amended'])
    expect(isAwaited(claiming(type))).toBe(true);
  expect(isAwaited({ ...claiming('task.ended'), headers: {} })).toBe(true);
});
