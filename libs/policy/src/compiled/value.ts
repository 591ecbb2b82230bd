/** Cedar's values, as far as compiled policies handle them. All others are the engine's. */
import { askEngine } from './ask-engine.js';

export class Ref {
  /** One text for one entity. */
  readonly key: string;
  constructor(
    readonly type: string,
    readonly id: string,
  ) {
    this.key = `${type}\0${id}`;
  }
}
/** Milliseconds since the epoch. */
export class Datetime {
  constructor(readonly ms: number) {}
}
/** Milliseconds. */
export class Duration {
  constructor(readonly ms: number) {}
}
/** A set is an array, a record a map. */
export type Value = boolean | number | string | Ref | Datetime | Duration | Value[] | Fields;
export type Fields = ReadonlyMap<string, Value>;

/** `==` of what is no set and no record. Values of different types are never equal. */
export function isEqual(a: Value, b: Value): boolean {
  if (isWhole(a) || isWhole(b)) return askEngine();
  if (a instanceof Ref) return b instanceof Ref && a.key === b.key;
  if (a instanceof Datetime) return b instanceof Datetime && a.ms === b.ms;
  if (a instanceof Duration) return b instanceof Duration && a.ms === b.ms;
  return a === b;
}

const isWhole = (value: Value): value is Value[] | Fields => Array.isArray(value) || value instanceof Map;

/** Negative: `a < b`. Whole numbers, datetimes and durations have an order. */
export function order(a: Value, b: Value): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (a instanceof Datetime && b instanceof Datetime) return a.ms - b.ms;
  if (a instanceof Duration && b instanceof Duration) return a.ms - b.ms;
  return askEngine();
}

/** Of the forms that Cedar takes, the one that we write. */
const DATETIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

export function datetimeOf(text: string): Datetime {
  const ms = DATETIME.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(ms) || new Date(ms).toISOString() !== text) return askEngine();
  return new Datetime(ms);
}

const UNITS_MS = [86_400_000, 3_600_000, 60_000, 1_000, 1];

/** `1d2h3m4s5ms`, or a part of it. */
export function durationOf(text: string): Duration {
  const [whole, ...counts] =
    /^(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?(?:(\d{1,6})ms)?$/.exec(text) ?? [];
  if (whole === undefined || whole === '') return askEngine();
  return new Duration(UNITS_MS.reduce((sum, unitMs, i) => sum + Number(counts[i] ?? 0) * unitMs, 0));
}
