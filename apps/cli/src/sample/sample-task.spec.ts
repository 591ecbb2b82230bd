import { taskStarted } from '#events/inbound.js';
import { sampleTask } from './sample-task.js';

it('the sample declares a task that keeps to the schema and ends within minutes', () => {
  const task = sampleTask('0192f0a0-0000-7000-8000-000000000001', Date.parse('2026-11-24T19:00:00.000Z'));
  expect(taskStarted.parse(task)).toEqual(task);
  expect(task.deadline).toBe('2026-11-24T19:15:00.000Z');
});
