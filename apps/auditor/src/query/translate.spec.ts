import fc from 'fast-check';
import { FIELDS, OPERATORS_OF } from './fields.js';
import { FilterError } from './filter-error.js';
import { FILTER_LIMITS, parseFilter } from './filter.js';
import { isById, translate } from './translate.js';

const names = { idOf: (id: string) => `id<${id}>`, personOf: (id: string) => `person:${id.length}` };

function translated(text: string) {
  const values: unknown[] = [];
  const result = translate(parseFilter(text), (value) => `$${values.push(value)}`, names);
  return { ...result, values };
}
const wrongAt = (text: string): [string, number] => {
  try {
    translated(text);
  } catch (error) {
    if (error instanceof FilterError) return [error.code, error.at];
  }
  throw new Error('nothing is wrong with it');
};

it('puts values into parameters, and columns of ours into the statement', () => {
  const { sql, values } = translated(`type="x' OR 1=1" AND (offset>=7 OR NOT admitted=false)`);
  expect(sql).toBe(
    '((e.type IS NOT NULL AND e.type = $1::text) AND ' +
      '((e.bus_offset IS NOT NULL AND e.bus_offset >= $2::bigint) OR (NOT (e.admitted IS NOT NULL AND e.admitted = $3::boolean))))',
  );
  expect(values).toEqual(["x' OR 1=1", 7n, false]);
});

it('compares times in milliseconds, whatever their zone', () => {
  expect(translated('appendedAt<2026-11-01T01:00:00.5+01:00').values).toEqual([
    BigInt(Date.UTC(2026, 10, 1, 0, 0, 0, 500)),
  ]);
});

it('asks for persons by what stands for them in leaves', () => {
  expect(translated('principal="user:maria@corp.example"').values).toEqual(['person:23']);
  expect(translated('sender=spiffe://dev.mayfly/operator/dev').values).toEqual([
    'id<spiffe://dev.mayfly/operator/dev>',
  ]);
  expect(translated('principal="person:abc"').values).toEqual(['person:abc']);
});

it('knows what is there, and what begins so', () => {
  expect(translated('code:*')).toMatchObject({ values: [] });
  expect(translated('type:"lease.*"')).toMatchObject({
    sql: '(e.type IS NOT NULL AND starts_with(e.type, $1::text))',
    values: ['lease.'],
  });
  expect(translated('type:lease.issued').values).toEqual(['lease.issued']);
});

it.each([
  ['', { by: 'log' }],
  ['tool=a', { by: 'log' }],
  ['type=call.decided', { by: 'type', type: 'call.decided' }],
  ['type=call.decided AND task=t', { by: 'task', taskId: 't' }],
  ['type=call.decided AND id=e', { by: 'decision', eventId: 'e' }],
  ['id=e', { by: 'log' }],
  ['task=t OR tool=a', { by: 'log' }],
  ['NOT task=t', { by: 'log' }],
  ['task!=t', { by: 'log' }],
  ['task:t*', { by: 'log' }],
])('finds the rows of %j by an index', (text, scan) => expect(translated(text).scan).toEqual(scan));

it.each([
  ['seq=5', 5n, 6n],
  ['seq>=5 AND seq<9', 5n, 9n],
  ['seq>5 AND seq<=9 AND seq>2', 6n, 10n],
  ['seq!=5', undefined, undefined],
  ['seq>5 OR seq<2', undefined, undefined],
])('narrows the log to what %j can find', (text, first, end) => {
  expect(translated(text)).toMatchObject({ first, end });
});

it('knows which filters name few entries', () => {
  for (const text of ['task=t', 'seq>5', 'type=call.decided AND id=e'])
    expect(isById(translated(text))).toBe(true);
  for (const text of ['', 'type=call.decided', 'task=t OR tool=a', 'id=e'])
    expect(isById(translated(text))).toBe(false);
});

it.each([
  ['task=t AND colour=red', 'ERR_FILTER_FIELD_UNKNOWN', 11],
  ['constructor=x', 'ERR_FILTER_FIELD_UNKNOWN', 0],
  ['leaf=x', 'ERR_FILTER_FIELD_UNKNOWN', 0],
  ['type<x', 'ERR_FILTER_OPERATOR', 4],
  ['seq:1', 'ERR_FILTER_OPERATOR', 3],
  ['admitted>true', 'ERR_FILTER_OPERATOR', 8],
  ['seq=x', 'ERR_FILTER_VALUE', 4],
  ['seq=-1', 'ERR_FILTER_VALUE', 4],
  ['seq=9999999999999999999', 'ERR_FILTER_VALUE', 4],
  ['admitted=yes', 'ERR_FILTER_VALUE', 9],
  ['appendedAt>2026-11-01', 'ERR_FILTER_VALUE', 11],
  ['appendedAt>2026-02-30T00:00:00Z', 'ERR_FILTER_VALUE', 11],
  ['tool="a\0b"', 'ERR_FILTER_VALUE', 5],
  ['tool="\ud800"', 'ERR_FILTER_VALUE', 5],
])('refuses %j and says where', (text, code, at) => expect(wrongAt(text)).toEqual([code, at]));

describe('whatever text it is', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.constantFrom(
      "'; DROP TABLE entry; --",
      '$1',
      "' OR '1'='1",
      '*',
      'a*',
      '5',
      'true',
      '2026-11-01T00:00:00Z',
    ),
  );
  const quoted = value.map((text) => `"${text.replace(/["\\]/g, '\\$&')}"`);
  const term = fc
    .tuple(
      fc.oneof(
        { weight: 9, arbitrary: fc.constantFrom(...FIELDS.keys()) },
        { weight: 1, arbitrary: fc.string() },
      ),
      fc.constantFrom('=', '!=', '<', '<=', '>', '>=', ':', ';'),
      quoted,
    )
    .map((parts) => parts.join(''));
  const filter = fc
    .array(fc.tuple(term, fc.constantFrom(' AND ', ' OR ', ' AND NOT ', ' ')), { minLength: 1, maxLength: 6 })
    .map((pieces) => pieces.map(([text, joint]) => text + joint).join('') + 'seq>=0');
  /** All that a condition may be made of. */
  const pieces = [
    ...[...FIELDS.values()].map(({ sql }) => sql),
    ...[
      'IS DISTINCT FROM',
      'IS NOT NULL',
      'starts_with(',
      'AND',
      'OR',
      'NOT',
      '<=',
      '>=',
      '<',
      '>',
      '=',
      '(',
      ')',
      ',',
    ],
  ].sort((a, b) => b.length - a.length);

  function isOfPieces(sql: string): boolean {
    let rest = sql.replace(/\$[0-9]+::(text|bigint|boolean)/g, '');
    while ((rest = rest.trimStart()) !== '') {
      const piece = pieces.find((each) => rest.startsWith(each));
      if (piece === undefined) return false;
      rest = rest.slice(piece.length);
    }
    return true;
  }

  it('comes to a condition of fields, operators and placeholders, or to a refusal with its place', () => {
    let understood = 0;
    fc.assert(
      fc.property(filter, (text) => {
        try {
          const { sql, values } = translated(text);
          understood += 1;
          expect(isOfPieces(sql)).toBe(true);
          expect(sql.match(/\$[0-9]+/g)?.length ?? 0).toBe(values.length);
        } catch (error) {
          if (!(error instanceof FilterError)) throw error;
          expect(error.at).toBeGreaterThanOrEqual(0);
          expect(error.at).toBeLessThanOrEqual(Math.min(text.length, FILTER_LIMITS.chars));
        }
      }),
      { numRuns: 2_000 },
    );
    expect(understood).toBeGreaterThan(20);
  });

  it('has operators for every kind of field', () => {
    for (const { kind } of FIELDS.values()) expect(OPERATORS_OF[kind].length).toBeGreaterThan(1);
  });
});

it.each<[string, string[]]>([
  ['agent=x AND tool:y AND code=ERR', ['"agent":"id<x>"', '"tool":"y"', '"code":"ERR"']],
  ['principal="user:maria@corp.example"', ['"id":"person:23"']],
  ['agent=x OR tool=y', []],
  ['NOT tool=y AND tool!=z AND tool:a* AND tool:*', []],
  ['type=lease.issued AND seq>5', []],
  ['call=7', []],
])('knows what stands in every leaf that %j lets pass', (text, texts) =>
  expect(translated(text).texts).toEqual(texts),
);
