import serialize from 'canonicalize';
import fc from 'fast-check';
import { canonical } from './jcs.js';

it('writes the example of RFC 8785 as the RFC does', () => {
  const value = {
    numbers: [333333333.3333333, 1e30, 4.5, 2e-3, 0.000000000000000000000000001],
    string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
    literals: [null, true, false],
  };
  expect(canonical(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
});

it('sorts members by UTF-16 code units', () => {
  const members = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
  expect(Object.values(JSON.parse(canonical(members)) as object).length).toBe(7);
  expect(canonical(members)).toBe(
    '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
  );
});

it('sorts names that look like numbers as texts', () => {
  expect(canonical({ 10: 'a', 9: 'b', x: 'c' })).toBe('{"10":"a","9":"b","x":"c"}');
});

it('leaves out what is undefined, and asks what has a JSON of its own', () => {
  expect(canonical({ b: undefined, a: new Date(0), c: [undefined, 1] })).toBe(
    '{"a":"1970-01-01T00:00:00.000Z","c":[null,1]}',
  );
});

it.each<[string, unknown]>([
  ['undefined', undefined],
  ['NaN', [NaN]],
  ['infinity', { a: -Infinity }],
  ['a bigint', { a: 1n }],
  ['a function', { a: () => 1 }],
  ['a symbol', [Symbol('a')]],
  ['half of a pair', ['\ud800']],
  ['the other half', { a: 'x\udc00' }],
  ['half of a pair in a name', { 'a\ud83d': 1 }],
  ['two halves in the wrong order', ['\ude00\ud83d']],
])('refuses %s', (_what, value) => {
  expect(() => canonical(value)).toThrow(TypeError);
});

it('refuses what holds itself', () => {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  expect(() => canonical(value)).toThrow(RangeError);
});

const anyText = fc.string({ unit: 'binary', maxLength: 8 });
const anyValue = fc.jsonValue({ maxDepth: 4, stringUnit: 'binary' });

it('writes what the reference implementation writes, over any JSON', () => {
  fc.assert(
    fc.property(fc.oneof(anyValue, fc.dictionary(anyText, anyValue)), (value) => {
      const text = canonical(value);
      return text === serialize(value) && canonical(JSON.parse(text)) === text;
    }),
    { numRuns: 5_000, seed: 8785 },
  );
});

it('writes doubles as the reference implementation does, over any bits', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => canonical(n) === serialize(n)),
    { numRuns: 5_000, seed: 8785 },
  );
});
