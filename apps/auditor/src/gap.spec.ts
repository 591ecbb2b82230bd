import { BusError } from '#bus/bus.js';
import { gapOf } from './gap.js';

const outOfRange = (fields: Record<string, string | number>) =>
  new BusError('ERR_OFFSET_OUT_OF_RANGE', 'records were deleted before they were read', fields);
const where = { topic: 'mayfly.credential.delivery.v1', partition: 3 };

it('names the records that were deleted before they were read', () => {
  expect(gapOf(outOfRange({ ...where, next: '5', low: '9', high: '20' }))).toEqual({
    ...where,
    from: 5n,
    to: 9n,
  });
});

it('takes a log that ends before our position for no gap', () => {
  expect(gapOf(outOfRange({ ...where, next: '50', low: '0', high: '20' }))).toBeUndefined();
});

it('takes any other end of the consumer for no gap', () => {
  expect(gapOf(new BusError('ERR_BUS_CRASHED', 'the consumer has crashed'))).toBeUndefined();
  expect(gapOf(new Error('boom'))).toBeUndefined();
});
