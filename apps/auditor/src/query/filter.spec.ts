import fc from 'fast-check';
import { conjuncts, FILTER_LIMITS, parseFilter, type Filter } from './filter.js';
import { FilterError } from './filter-error.js';

/** As it was understood, with all parentheses. */
function shown(filter: Filter | undefined): string {
  if (filter === undefined) return '';
  if (filter.kind === 'term') return `${filter.field.is}${filter.operator.is}${filter.value.is}`;
  if (filter.kind === 'not') return `not ${shown(filter.part)}`;
  return `(${filter.parts.map(shown).join(` ${filter.kind} `)})`;
}
const read = (text: string): string => shown(parseFilter(text));
const wrongAt = (text: string): [string, number] | undefined => {
  try {
    parseFilter(text);
    return undefined;
  } catch (error) {
    return error instanceof FilterError ? [error.code, error.at] : ['another error', -1];
  }
};

it.each([
  ['', ''],
  ['   ', ''],
  ['type=call.decided', 'type=call.decided'],
  ['type = "call.decided"', 'type=call.decided'],
  ["decision != 'permit'", 'decision!=permit'],
  ['agent="spiffe://dev.mayfly/agent/analyst"', 'agent=spiffe://dev.mayfly/agent/analyst'],
  ['agent=spiffe://dev.mayfly/agent/analyst', 'agent=spiffe://dev.mayfly/agent/analyst'],
  ['appendedAt>=2026-11-01T00:00:00Z', 'appendedAt>=2026-11-01T00:00:00Z'],
  ['type:lease.*', 'type:lease.*'],
  [String.raw`tool = "a \"quoted\" \\ name"`, String.raw`tool=a "quoted" \ name`],
  ['seq>=1 AND seq<9', '(seq>=1 and seq<9)'],
  ['NOT (tool=a OR tool=b)', 'not (tool=a or tool=b)'],
  ['(((tool=a)))', 'tool=a'],
])('reads %j', (text, understood) => expect(read(text)).toBe(understood));

it('binds OR closer than AND, as AIP-160 does', () => {
  expect(read('tool=a AND tool=b OR tool=c')).toBe('(tool=a and (tool=b or tool=c))');
  expect(read('tool=a OR tool=b AND NOT tool=c')).toBe('((tool=a or tool=b) and not tool=c)');
});

it('knows what must hold of every entry', () => {
  const parts = conjuncts(parseFilter('tool=a AND (seq>1 AND NOT type=x) AND (tool=b OR tool=c)'));
  expect(parts.map(shown)).toEqual(['tool=a', 'seq>1', 'not type=x', '(tool=b or tool=c)']);
});

it.each([
  ['type', 'ERR_FILTER_SYNTAX', 4],
  ['type=', 'ERR_FILTER_SYNTAX', 5],
  ['=x', 'ERR_FILTER_SYNTAX', 0],
  ['type=a type=b', 'ERR_FILTER_SYNTAX', 7],
  ['type=a AND', 'ERR_FILTER_SYNTAX', 7],
  ['type=a and type=b', 'ERR_FILTER_SYNTAX', 7],
  ['(type=a', 'ERR_FILTER_SYNTAX', 7],
  ['type=a)', 'ERR_FILTER_SYNTAX', 6],
  ['type="a', 'ERR_FILTER_SYNTAX', 5],
  [String.raw`type="a\n"`, 'ERR_FILTER_SYNTAX', 5],
  ['NOT NOT type=a', 'ERR_FILTER_SYNTAX', 8],
  ["type='a'; DROP TABLE entry", 'ERR_FILTER_SYNTAX', 8],
  ['type=a -- ', 'ERR_FILTER_SYNTAX', 7],
])('refuses %j and says where', (text, code, at) => expect(wrongAt(text)).toEqual([code, at]));

describe('limits', () => {
  const terms = (n: number) => Array.from({ length: n }, () => 'seq=1').join(' AND ');
  const inside = (depth: number) => `${'('.repeat(depth)}seq=1${')'.repeat(depth)}`;

  it('takes as many terms as are allowed, and no more', () => {
    expect(wrongAt(terms(FILTER_LIMITS.terms))).toBeUndefined();
    expect(wrongAt(terms(FILTER_LIMITS.terms + 1))).toEqual(['ERR_FILTER_TOO_MANY_TERMS', 200]);
  });

  it('takes as many parentheses in each other as are allowed, and no more', () => {
    expect(wrongAt(inside(FILTER_LIMITS.depth))).toBeUndefined();
    expect(wrongAt(inside(FILTER_LIMITS.depth + 1))).toEqual(['ERR_FILTER_TOO_DEEP', FILTER_LIMITS.depth]);
  });

  it('takes no text that is longer than is allowed', () => {
    const long = `tool=${'x'.repeat(FILTER_LIMITS.chars)}`;
    expect(wrongAt(long)).toEqual(['ERR_FILTER_TOO_LONG', FILTER_LIMITS.chars]);
  });
});

/** Texts that come near to a filter. */
const nearly = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'type',
        'seq',
        'NOT',
        'AND',
        'OR',
        '(',
        ')',
        '=',
        '!=',
        '<',
        ':',
        '"',
        "'",
        '\\',
        ' ',
        ',',
        ';',
        '--',
        '\0',
        '𝕏',
      ),
      fc.string({ maxLength: 4 }),
    ),
    { maxLength: 40 },
  )
  .map((pieces) => pieces.join(''));

it('reads any text, or says what is wrong at a place in it', () => {
  fc.assert(
    fc.property(nearly, (text) => {
      const wrong = wrongAt(text);
      if (wrong === undefined) return;
      expect(wrong[0]).toMatch(/^ERR_FILTER_/);
      expect(wrong[1]).toBeGreaterThanOrEqual(0);
      expect(wrong[1]).toBeLessThanOrEqual(text.length);
    }),
    { numRuns: 2_000 },
  );
});
