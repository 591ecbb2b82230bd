/**
 * The text of a filter, read: a subset of AIP-160. Terms `field operator value`, joined by AND, OR, NOT and parentheses; as in AIP-160 OR binds
 * closer than AND. Pure; a filter that was read is well formed, and nothing is known of its fields yet.
 */
import { FilterError } from './filter-error.js';

export const FILTER_LIMITS = { chars: 2_048, terms: 20, depth: 8 } as const;

export const OPERATORS = ['=', '!=', '<', '<=', '>', '>=', ':'] as const;
export type Operator = (typeof OPERATORS)[number];

/** A piece of the filter and where it stands, in UTF-16 code units from its start. */
interface Placed<T> {
  is: T;
  at: number;
}

export interface Term {
  kind: 'term';
  field: Placed<string>;
  operator: Placed<Operator>;
  /** Unquoted. */
  value: Placed<string>;
}

export type Filter = Term | { kind: 'and' | 'or'; parts: readonly Filter[] } | { kind: 'not'; part: Filter };

/** @returns undefined for an empty filter, which lets everything pass. @throws FilterError with the place of what is wrong */
export function parseFilter(text: string): Filter | undefined {
  if (text.length > FILTER_LIMITS.chars)
    throw new FilterError('ERR_FILTER_TOO_LONG', FILTER_LIMITS.chars, 'the filter is too long');
  const reader = new Reader(text);
  if (reader.isAtEnd()) return undefined;
  const filter = conjunction(reader, 0);
  if (!reader.isAtEnd()) throw reader.unexpected('AND, OR or the end is expected');
  return filter;
}

/** The parts that all must hold. */
export function conjuncts(filter: Filter | undefined): readonly Filter[] {
  if (filter === undefined) return [];
  return filter.kind === 'and' ? filter.parts.flatMap(conjuncts) : [filter];
}

const conjunction = (reader: Reader, depth: number): Filter =>
  joined('and', reader, () => joined('or', reader, () => factor(reader, depth)));

function joined(kind: 'and' | 'or', reader: Reader, read: () => Filter): Filter {
  const first = read();
  const parts = [first];
  while (reader.takes(kind === 'and' ? AND : OR)) parts.push(read());
  return parts.length === 1 ? first : { kind, parts };
}

function factor(reader: Reader, depth: number): Filter {
  return reader.takes(NOT) ? { kind: 'not', part: simple(reader, depth) } : simple(reader, depth);
}

function simple(reader: Reader, depth: number): Filter {
  if (!reader.takes(OPEN)) return term(reader);
  if (depth === FILTER_LIMITS.depth)
    throw new FilterError(
      'ERR_FILTER_TOO_DEEP',
      reader.at - 1,
      'the filter has too many parentheses in each other',
    );
  const inner = conjunction(reader, depth + 1);
  if (!reader.takes(CLOSE)) throw reader.unexpected('a closing parenthesis is expected');
  return inner;
}

function term(reader: Reader): Term {
  const field = reader.placed(FIELD);
  if (field === undefined) throw reader.unexpected('a field is expected');
  reader.countTerm(field.at);
  const operator = reader.placed(OPERATOR);
  if (operator === undefined) throw reader.unexpected('an operator is expected');
  const quoted = reader.placed(QUOTED);
  const value =
    quoted === undefined
      ? reader.placed(BARE)
      : { is: quoted.is.slice(1, -1).replace(/\\(.)/g, '$1'), at: quoted.at };
  if (value === undefined) throw reader.unexpected('a value is expected');
  return { kind: 'term', field, operator: operator as Placed<Operator>, value };
}

const AND = /AND(?=[\s(])/y;
const OR = /OR(?=[\s(])/y;
const NOT = /NOT(?=[\s(])/y;
const OPEN = /\(/y;
const CLOSE = /\)/y;
const FIELD = /[A-Za-z][A-Za-z0-9_.]{0,63}/y;
const OPERATOR = /!=|<=|>=|[=<>:]/y;
/** In either kind of quotes; a backslash stands before a quote or a backslash. */
const QUOTED = /"(?:[^"\\]|\\["'\\])*"|'(?:[^'\\]|\\["'\\])*'/y;
const BARE = /[^\s()"'\\=!<>,;]+/y;
const SPACE = /\s+/y;

/** Where reading is, and how many terms were read. */
class Reader {
  at = 0;
  #terms = 0;

  constructor(private readonly text: string) {}

  isAtEnd(): boolean {
    this.#match(SPACE);
    return this.at === this.text.length;
  }

  takes(token: RegExp): boolean {
    this.#match(SPACE);
    return this.#match(token) !== undefined;
  }

  placed(token: RegExp): Placed<string> | undefined {
    this.#match(SPACE);
    const { at } = this;
    const is = this.#match(token);
    return is === undefined ? undefined : { is, at };
  }

  /** @throws FilterError ERR_FILTER_TOO_MANY_TERMS */
  countTerm(at: number): void {
    this.#terms += 1;
    if (this.#terms > FILTER_LIMITS.terms)
      throw new FilterError('ERR_FILTER_TOO_MANY_TERMS', at, 'the filter has too many terms');
  }

  unexpected(expected: string): FilterError {
    return new FilterError('ERR_FILTER_SYNTAX', this.at, expected);
  }

  #match(token: RegExp): string | undefined {
    token.lastIndex = this.at;
    const found = token.exec(this.text)?.[0];
    if (found !== undefined) this.at += found.length;
    return found;
  }
}
