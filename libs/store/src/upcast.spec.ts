import type { StoredEvent } from './stored-event.js';
import { upcast, writtenIn, type Upcasts } from './upcast.js';

/** A parcel was weighed in grams, then in kilograms, then said who weighed it. */
const upcasts: Upcasts<'parcel.weighed' | 'parcel.sent'> = {
  'parcel.weighed': [
    ({ grams, ...rest }) => ({ ...rest, kilograms: Number(grams) / 1_000 }),
    (data) => ({ weigher: 'unknown', ...data }),
  ],
  'parcel.sent': [],
};

const stored = (schemaVersion: number | undefined, data: object, type = 'parcel.weighed'): StoredEvent => ({
  stream: 'parcel-1',
  version: 4,
  type,
  ...(schemaVersion === undefined ? {} : { schemaVersion }),
  data,
  ceId: 'ce-4',
  causedBy: 'ce-3',
});

it('lifts an event of the first version through every step, and keeps what no step knows', () => {
  const first = stored(1, { grams: 2_500, colour: 'red' });

  expect(upcast(first, upcasts)).toEqual(stored(3, { kilograms: 2.5, weigher: 'unknown', colour: 'red' }));
  expect(first.data).toEqual({ grams: 2_500, colour: 'red' });
});

it('takes only the steps that are left', () => {
  expect(upcast(stored(2, { kilograms: 2 }), upcasts).data).toEqual({ kilograms: 2, weigher: 'unknown' });
  expect(upcast(stored(3, { kilograms: 2, weigher: 'ann' }), upcasts).data).toEqual({
    kilograms: 2,
    weigher: 'ann',
  });
});

it('takes an event without a version for one of the first', () => {
  expect(upcast(stored(undefined, { to: 'ann' }, 'parcel.sent'), upcasts)).toEqual(
    stored(1, { to: 'ann' }, 'parcel.sent'),
  );
});

it('writes a type in the version behind its last step', () => {
  expect(writtenIn(upcasts, 'parcel.weighed')).toBe(3);
  expect(writtenIn(upcasts, 'parcel.sent')).toBe(1);
});

it.each([4, 0, -1, 1.5])('refuses version %p of a type that has three', (schemaVersion) => {
  expect(() => upcast(stored(schemaVersion, {}), upcasts)).toThrow(
    expect.objectContaining({
      code: 'ERR_EVENT_VERSION_UNKNOWN',
      message: 'a stored event is of a later version than is known',
      fields: { stream: 'parcel-1', version: 4, type: 'parcel.weighed', schemaVersion },
    }) as Error,
  );
});

it.each(['parcel.lost', 'constructor', '__proto__'])(
  'refuses an event of type %s, which it does not know',
  (type) => {
    expect(() => upcast(stored(1, {}, type), upcasts)).toThrow(
      expect.objectContaining({
        code: 'ERR_EVENT_TYPE_UNKNOWN',
        message: 'a stored event is of an unknown type',
      }) as Error,
    );
  },
);
