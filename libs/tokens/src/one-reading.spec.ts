import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readOneWay } from './one-reading.js';

const read = (text: string) => readOneWay(Buffer.from(text));

describe('a member given twice', () => {
  it.each([
    '{"a":1,"a":1}',
    '{"a":1,"b":{"c":[{"d":1,"d":2}]}}',
    '{"a":1,"\\u0061":2}',
    '{"":1,"":2}',
    '{"__proto__":1,"__proto__":2}',
    '{"a:\\"":1,"a:\\"":2}',
    '{"a":{"b":1},"a":{}}',
  ])('is seen in %s', (text) => {
    expect(JSON.parse(text)).toBeDefined();
    expect(read(text)).toBeUndefined();
  });

  it.each([
    '{}',
    '{"a:b":"c:d"}',
    '{"a":"\\\\","b":"\\":"}',
    '{"a":{"a":{"a":[]}}}',
    '{"1":1,"0":0}',
    ' { "a" : 1 } ',
  ])('is not seen in %s', (text) => {
    expect(read(text)).toEqual(JSON.parse(text));
  });
});

it.each(['', '[]', 'null', '"a"', '{"a":1', '{"a":1}x', '\uFEFF{}'])('%s is no object', (text) => {
  expect(read(text)).toBeUndefined();
});

it('every object has one reading as it is written, and none with a member written again', () => {
  const object = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue(), {
    minKeys: 1,
    noNullPrototype: true,
  });
  fc.assert(
    fc.property(object, fc.jsonValue(), (value, again) => {
      const text = JSON.stringify(value);
      const [first] = Object.keys(JSON.parse(text) as object);
      expect(read(text)).toEqual(JSON.parse(text));
      expect(read(`{${JSON.stringify(first)}:${JSON.stringify(again)},${text.slice(1)}`)).toBeUndefined();
    }),
    { numRuns: 1000, seed: 20261125 },
  );
});
