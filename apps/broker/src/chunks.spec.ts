import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { wireType } from '#events/inbound.js';
import { TASK_EVENTS } from '#events/topics.js';
import { chunksOf } from './chunks.js';

const said = (types: readonly string[]): BusRecord[] =>
  types.map((type, offset) => ({
    topic: TASK_EVENTS,
    partition: 0,
    offset: BigInt(offset),
    appendedAtMs: 0,
    key: null,
    value: null,
    headers: { [HEADERS.type]: Buffer.from(wireType(type)) },
  }));
const sizes = (types: readonly string[]) => [...chunksOf(said(types))].map((chunk) => chunk.length);
const times = (n: number, type: string) => Array<string>(n).fill(type);

// A declaration may ask policy 512 times, 0.7 s. A fetch holds hundreds: decided in one transaction they outlast its idle
// time and the member's session, and the partition is read from the same place for ever.
describe('a fetch', () => {
  it('is one transaction where it is made of calls', () => {
    expect(sizes(times(300, 'tool.called'))).toEqual([300]);
  });

  it('is cut after four declarations', () => {
    expect(sizes(times(10, 'task.started'))).toEqual([4, 4, 2]);
    expect(sizes(['tool.called', ...times(4, 'task.started'), 'tool.called', 'task.ended'])).toEqual([5, 2]);
  });

  it('loses nothing and keeps its order', () => {
    const records = said([...times(5, 'task.started'), 'tool.called', ...times(9, 'task.started')]);

    expect([...chunksOf(records)].flat()).toEqual(records);
  });

  it('of nothing is nothing', () => {
    expect(sizes([])).toEqual([]);
  });
});
