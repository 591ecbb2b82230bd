import { startingPoints, type LogBounds } from './log-bounds.js';

const assigned = [
  { topic: 't', partition: 0 },
  { topic: 't', partition: 1 },
];
const bounds: LogBounds[] = [
  { topic: 't', partition: 0, low: 3n, high: 10n },
  { topic: 't', partition: 1, low: 0n, high: 0n },
];
const start = (next: bigint, reached?: bigint) =>
  startingPoints(assigned, [{ topic: 't', partition: 0, next, ...(reached && { reached }) }], bounds);

function errorOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe('a partition is read', () => {
  it.each([3n, 7n, 10n])('from its stored position %s while the log holds it', (next) => {
    expect(start(next)[0]).toEqual({ topic: 't', partition: 0, next });
  });

  it('from its oldest record when no position is stored', () => {
    expect(startingPoints(assigned, [], bounds)).toEqual([
      { topic: 't', partition: 0, next: 3n },
      { topic: 't', partition: 1, next: 0n },
    ]);
  });

  it('not at all when records after its stored position are gone', () => {
    expect(errorOf(() => start(2n))).toMatchObject({
      code: 'ERR_OFFSET_OUT_OF_RANGE',
      message: 'records were deleted before they were read',
      fields: { topic: 't', partition: 0, next: '2', low: '3', high: '10' },
    });
  });

  it('not at all when the log ends before its stored position', () => {
    expect(errorOf(() => start(11n))).toMatchObject({
      code: 'ERR_OFFSET_OUT_OF_RANGE',
      message: 'the log ends before the stored position: it was truncated, or the topic made anew',
    });
  });

  it('not at all when the log ends before the last record that was handled', () => {
    expect(start(7n, 10n)[0]).toEqual({ topic: 't', partition: 0, next: 7n });
    expect(errorOf(() => start(7n, 11n))).toMatchObject({ code: 'ERR_OFFSET_OUT_OF_RANGE' });
  });

  it('not at all when its log is not known', () => {
    expect(errorOf(() => startingPoints([{ topic: 'u', partition: 0 }], [], bounds))).toMatchObject({
      code: 'ERR_BUS_UNREACHABLE',
    });
  });
});
