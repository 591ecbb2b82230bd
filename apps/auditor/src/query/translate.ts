/**
 * A filter as SQL. Pure. Values are parameters, fields and operators constants of ours; each term is true or false, never null, so that NOT means
 * what it says. Beside the condition it says by which index the rows are found that the condition is then asked of.
 */
import { unreachable } from '#events/unreachable.js';
import { FIELDS, OPERATORS_OF, type Field } from './fields.js';
import { FilterError } from './filter-error.js';
import { conjuncts, type Filter, type Operator, type Term } from './filter.js';
import { instantMs } from './instant.js';
import { memberText } from './leaf-text.js';

/** The rows that are looked at, in the order of the log: an index gives them so. */
export type Scan =
  | { by: 'log' }
  | { by: 'task'; taskId: string }
  | { by: 'type'; type: string }
  /** A decision by the id under which it was told. */
  | { by: 'decision'; eventId: string };

export interface Translated {
  /** Over `e` and `said.leaf`. */
  sql: string;
  scan: Scan;
  /** Of the sequence numbers that all entries must have: `[first, end)`. */
  first: bigint | undefined;
  end: bigint | undefined;
  /** Leaves have to be opened for it. */
  readsLeaf: boolean;
  /** What stands in the bytes of every leaf that it lets pass. */
  texts: readonly string[];
}

/** Takes a value into the parameters of the statement; returns its placeholder. */
export type Bind = (value: string | bigint | number | boolean | readonly string[]) => string;
/** What stands in a leaf in the place of whoever acted, and of a person. */
export interface Names {
  idOf: (id: string) => string;
  personOf: (id: string) => string;
}

/** @throws FilterError for a field, an operator or a value that cannot be, with its place */
export function translate(filter: Filter | undefined, bind: Bind, names: Names): Translated {
  const sql = filter === undefined ? 'true' : conditionOf(filter, bind, names);
  const terms = conjuncts(filter).filter((part): part is Term => part.kind === 'term');
  const texts = terms.flatMap((term) => textOf(term, names) ?? []);
  return { sql, scan: scanOf(terms), ...boundsOf(terms), readsLeaf: sql.includes('said.leaf'), texts };
}

/** Is every entry that it can find one of few, whenever they were? */
export const isById = ({ scan, first, end }: Translated): boolean =>
  scan.by === 'task' || scan.by === 'decision' || first !== undefined || end !== undefined;

function conditionOf(filter: Filter, bind: Bind, names: Names): string {
  switch (filter.kind) {
    case 'term':
      return termOf(filter, bind, names);
    case 'not':
      return `(NOT ${conditionOf(filter.part, bind, names)})`;
    case 'and':
    case 'or': {
      const word = filter.kind === 'and' ? ' AND ' : ' OR ';
      return `(${filter.parts.map((part) => conditionOf(part, bind, names)).join(word)})`;
    }
    default:
      return unreachable(filter);
  }
}

function termOf(term: Term, bind: Bind, names: Names): string {
  const { field, operator, value } = term;
  const known = FIELDS.get(field.is);
  if (known === undefined)
    throw new FilterError('ERR_FILTER_FIELD_UNKNOWN', field.at, 'the filter names a field that is unknown');
  if (!OPERATORS_OF[known.kind].includes(operator.is))
    throw new FilterError('ERR_FILTER_OPERATOR', operator.at, 'the field does not take this operator');
  // PostgreSQL takes no zero byte in a text, and no name of ours has any other.
  if (/[\p{Cc}\p{Cs}]/u.test(value.is)) throw badValue(term, 'a value has no control characters');
  if (operator.is === ':') return hasOf(known, value.is, bind, names);
  const bound = boundOf(known, term, bind, names);
  if (operator.is === '=') return `(${known.sql} IS NOT NULL AND ${known.sql} = ${bound})`;
  if (operator.is === '!=') return `(${known.sql} IS DISTINCT FROM ${bound})`;
  // One of the four that are the same in SQL.
  return `(${known.sql} IS NOT NULL AND ${known.sql} ${operator.is} ${bound})`;
}

function hasOf(field: Field, value: string, bind: Bind, names: Names): string {
  if (value === '*') return `(${field.sql} IS NOT NULL)`;
  const there = `${field.sql} IS NOT NULL`;
  if (value.endsWith('*'))
    return `(${there} AND starts_with(${field.sql}, ${bind(value.slice(0, -1))}::text))`;
  return `(${there} AND ${field.sql} = ${bind(nameIn(field, value, names))}::text)`;
}

function boundOf(field: Field, term: Term, bind: Bind, names: Names): string {
  const { is: text } = term.value;
  switch (field.kind) {
    case 'text':
    case 'id':
    case 'person':
      return `${bind(nameIn(field, text, names))}::text`;
    case 'seq':
    case 'count':
      return `${bind(wholeNumber(term))}::bigint`;
    case 'time': {
      const atMs = instantMs(text);
      if (atMs === undefined) throw badValue(term, 'a time is RFC 3339 with its zone');
      return `${bind(BigInt(atMs))}::bigint`;
    }
    case 'flag':
      if (text !== 'true' && text !== 'false') throw badValue(term, 'the value is true or false');
      return `${bind(text === 'true')}::boolean`;
    default:
      return unreachable(field.kind);
  }
}

/** Of a term that asks for one value, and no other term. */
function textOf({ field, operator, value }: Term, names: Names): string | undefined {
  const known = FIELDS.get(field.is);
  if (known?.member === undefined) return undefined;
  const isOne = operator.is === '=' || (operator.is === ':' && !value.is.endsWith('*'));
  return isOne ? memberText(known.member, nameIn(known, value.is, names)) : undefined;
}

/** As it stands in leaves. Whoever has a pseudonym already may ask by it. */
function nameIn({ kind }: Field, value: string, { idOf, personOf }: Names): string {
  if (value.startsWith('person:')) return value;
  if (kind === 'person') return personOf(value);
  return kind === 'id' ? idOf(value) : value;
}

function wholeNumber(term: Term): bigint {
  if (!/^(0|[1-9][0-9]{0,17})$/.test(term.value.is)) throw badValue(term, 'the value is a whole number');
  return BigInt(term.value.is);
}

const badValue = ({ value }: Term, message: string): FilterError =>
  new FilterError('ERR_FILTER_VALUE', value.at, message);

const isEqual = (term: Term, field: string): boolean => term.field.is === field && term.operator.is === '=';

/** The narrowest index among what must hold. */
function scanOf(terms: readonly Term[]): Scan {
  const valueOf = (field: string) => terms.find((term) => isEqual(term, field))?.value.is;
  const [taskId, type, eventId] = [valueOf('task'), valueOf('type'), valueOf('id')];
  if (eventId !== undefined && type === 'call.decided') return { by: 'decision', eventId };
  if (taskId !== undefined) return { by: 'task', taskId };
  return type === undefined ? { by: 'log' } : { by: 'type', type };
}

/** What is added to the value of a term, to be the first number that passes, or the first that does not any more. */
const FIRST: Partial<Record<Operator, bigint>> = { '=': 0n, '>=': 0n, '>': 1n };
const END: Partial<Record<Operator, bigint>> = { '=': 1n, '<=': 1n, '<': 0n };

function boundsOf(terms: readonly Term[]): Pick<Translated, 'first' | 'end'> {
  let first: bigint | undefined;
  let end: bigint | undefined;
  for (const { field, operator, value } of terms) {
    if (field.is !== 'seq') continue;
    const [toFirst, toEnd] = [FIRST[operator.is], END[operator.is]];
    if (toFirst !== undefined) first = larger(first, BigInt(value.is) + toFirst);
    if (toEnd !== undefined) end = smaller(end, BigInt(value.is) + toEnd);
  }
  return { first, end };
}

const larger = (a: bigint | undefined, b: bigint): bigint => (a === undefined || b > a ? b : a);
const smaller = (a: bigint | undefined, b: bigint): bigint => (a === undefined || b < a ? b : a);
