import { TASK } from '../../spec/world.js';
import { entryFilter, seqOf } from './parameters.js';

const refusal = (code: string): Error => expect.objectContaining({ name: 'ProblemError', code }) as Error;

it('reads the filter of a page', () => {
  expect(entryFilter({})).toEqual({ taskId: undefined, type: undefined, after: -1n, limit: 100 });
  expect(entryFilter({ taskId: TASK, type: 'call.decided', after: '12', limit: '500' })).toEqual({
    taskId: TASK,
    type: 'call.decided',
    after: 12n,
    limit: 500,
  });
});

it('refuses a parameter it does not know', () => {
  expect(() => entryFilter({ task: TASK })).toThrow(refusal('ERR_PARAMETER_UNKNOWN'));
});

it.each([
  { taskId: 'nobody' },
  { taskId: [TASK, TASK] },
  { taskId: { a: TASK } },
  { type: "x' OR 1=1" },
  { type: 'toString' },
  { after: '-1' },
  { after: '1e3' },
  { after: '99999999999999999999' },
  { limit: '0' },
  { limit: '501' },
  { limit: '' },
])('refuses %j', (query) => {
  expect(() => entryFilter(query)).toThrow(refusal('ERR_PARAMETER_INVALID'));
});

it.each(['', '01', 'abc', '1.5', '0x1', ' 1'])('refuses %j as a sequence number', (text) => {
  expect(() => seqOf(text)).toThrow(refusal('ERR_PARAMETER_INVALID'));
});
