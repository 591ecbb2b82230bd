import { TASK } from '../../spec/world.js';
import { listQuery, MAX_WINDOW_MS } from './list-query.js';

const NOW_MS = Date.UTC(2026, 10, 28);
const asked = (query: Record<string, unknown>) => listQuery(query, NOW_MS);
const refusal = (code: string, fields: object = {}): Error =>
  expect.objectContaining({
    name: 'ProblemError',
    code,
    fields: expect.objectContaining(fields) as object,
  }) as Error;
const at = (text: string) => Date.parse(text);

it('reads what is asked for, and says what was not said', () => {
  expect(asked({})).toMatchObject({
    ...{ filter: undefined, order: 'asc', limit: 100, proven: false, after: undefined },
    ...{ fromMs: NOW_MS - MAX_WINDOW_MS, toMs: undefined },
  });
  expect(asked({ order: 'desc', limit: '500', after: '12' })).toMatchObject({
    ...{ order: 'desc', limit: 500, after: { seq: 12n } },
  });
  expect(asked({ proof: 'inclusion', after: 'abc.def' })).toMatchObject({
    ...{ proven: true, limit: 100, after: { cursor: 'abc.def' } },
  });
});

it('takes a task and a type as terms that must hold besides', () => {
  expect(asked({ filter: 'tool=a OR tool=b', taskId: TASK, type: 'call.decided' }).filter).toMatchObject({
    kind: 'and',
    parts: [{ kind: 'or' }, { field: { is: 'task' } }, { field: { is: 'type' } }],
  });
});

it.each(['log.gap_detected', 'log.key.added', 'log.key.retired', 'log.continued'])(
  'knows what the log says of itself: %s',
  (type) => expect(asked({ type }).filter).toMatchObject({ parts: [{ value: { is: type } }] }),
);

it('refuses a parameter it does not know', () => {
  expect(() => asked({ task: TASK })).toThrow(refusal('ERR_PARAMETER_UNKNOWN'));
});

it.each([
  { taskId: 'nobody' },
  { taskId: [TASK, TASK] },
  { taskId: { a: TASK } },
  { type: "x' OR 1=1" },
  { type: 'toString' },
  { filter: ['seq=1', 'seq=2'] },
  { after: '99999999999999999999' },
  { limit: '0' },
  { limit: '501' },
  { limit: '' },
  { limit: '101', proof: 'inclusion' },
  { order: 'up' },
  { proof: 'yes' },
  { from: 'yesterday' },
  { from: '2026-11-01' },
  { to: '2026-11-31T00:00:00Z' },
])('refuses %j', (query) => {
  expect(() => asked(query)).toThrow(refusal('ERR_PARAMETER_INVALID'));
});

it('says where a filter is wrong before anything is read', () => {
  expect(() => asked({ filter: 'type=a AND colour=b' })).toThrow(
    expect.objectContaining({ code: 'ERR_FILTER_FIELD_UNKNOWN', at: 11 }) as Error,
  );
});

describe('the window', () => {
  const from = '2026-10-01T00:00:00Z';

  it('is from one time to before another', () => {
    expect(asked({ from, to: '2026-11-01T00:00:00Z' })).toMatchObject({
      fromMs: at(from),
      toMs: at('2026-11-01T00:00:00Z'),
    });
  });

  it.each([
    [{ from, to: '2026-11-01T00:00:00.001Z' }],
    [{ from }],
    [{ from, to: '2026-12-01T00:00:00Z', filter: 'type=call.decided' }],
    [{ from, filter: `task=${TASK} OR tool=a` }],
  ])('has at most 31 days: not %j', (query) => {
    expect(() => asked(query)).toThrow(refusal('ERR_RANGE_TOO_WIDE', { parameter: 'from' }));
  });

  it.each([
    [{ from, taskId: TASK }],
    [{ from, filter: `tool=a AND task=${TASK}` }],
    [{ from, filter: 'seq>=10' }],
    [{ from, after: '7' }],
  ])('may be wider where few entries are named: %j', (query) => {
    expect(asked(query)).toMatchObject({ fromMs: at(from) });
  });

  it('is the whole log where few entries are named and no time', () => {
    expect(asked({ taskId: TASK })).toMatchObject({ fromMs: undefined, toMs: undefined });
  });

  it.each([from, '2026-09-30T00:00:00Z'])('does not end before it begins: %j', (to) => {
    expect(() => asked({ from, to, taskId: TASK })).toThrow(
      refusal('ERR_RANGE_INVALID', { parameter: 'to' }),
    );
  });
});

it('is another query with another filter, window or order, and the same one on another page', () => {
  const { identity } = asked({ type: 'call.decided' });
  expect(asked({ type: 'call.decided', limit: '5', after: '3', proof: 'inclusion' }).identity).toBe(identity);
  for (const other of [
    { order: 'desc' },
    { from: '2026-11-20T00:00:00Z' },
    { taskId: TASK },
    { filter: 'seq>1' },
  ])
    expect(asked({ type: 'call.decided', ...other }).identity).not.toBe(identity);
});
