/** A row with what an entry says of it. Pure. */
import { unreachable } from '#events/unreachable.js';
import { TABLES, type Row, type Rule, type Table, type TableName, type Value } from './tables.js';

/** @returns the same row where nothing is new */
export function merge(name: TableName, row: Row | undefined, facts: Row): Row {
  const { columns }: Table = TABLES[name];
  const before = row ?? emptyRow(name, facts);
  let after: Record<string, Value> | undefined;
  for (const [column, told] of Object.entries(facts)) {
    const rule = columns[column];
    if (rule === undefined || told === undefined) continue;
    const value = joined(rule, before, column, told, facts);
    if (value === before[column]) continue;
    after ??= { ...before };
    after[column] = value;
  }
  return after ?? before;
}

const NOTHING = new Map<TableName, Row>();

/** All columns are there from the beginning: rows of one shape are read and copied faster. */
function emptyRow(name: TableName, facts: Row): Row {
  const { key, columns }: Table = TABLES[name];
  let nothing = NOTHING.get(name);
  if (nothing === undefined) {
    nothing = Object.fromEntries([...key, ...Object.keys(columns)].map((column) => [column, null]));
    NOTHING.set(name, nothing);
  }
  const row: Record<string, Value> = { ...nothing };
  for (const column of key) row[column] = facts[column] ?? '';
  return row;
}

function joined(rule: Rule, before: Row, column: string, told: Value, facts: Row): Value {
  const kept = before[column] ?? null;
  if (typeof rule === 'object') {
    if ('with' in rule) return grows(before[rule.with] ?? null, facts[rule.with]) ? told : kept;
    return union(kept, told, rule.any);
  }
  switch (rule) {
    case 'first':
      return kept ?? told;
    case 'min':
      return typeof told === 'number' && (typeof kept !== 'number' || told < kept) ? told : kept;
    case 'max':
      return grows(kept, told) ? told : kept;
    case 'sum':
      return Number(kept ?? 0) + Number(told ?? 0);
    case 'follows':
      throw new TypeError('no entry says what follows from other rows');
    default:
      return unreachable(rule);
  }
}

/** Numbers. What was not there grows by whatever is told. */
const grows = (from: Value, to: Value | undefined): to is number =>
  typeof to === 'number' && (typeof from !== 'number' || to > from);

function union(kept: Value, told: Value, most: number): Value {
  const [all, more] = [asList(kept), asList(told)];
  const fresh = more.filter((each, i) => !all.includes(each) && more.indexOf(each) === i);
  const taken = fresh.slice(0, Math.max(0, most - all.length));
  return taken.length === 0 && kept !== null ? kept : [...all, ...taken];
}

const asList = (value: Value): readonly unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);
