/** What a leaf says of the columns beside it, which only find it: derived again from the bytes, for whoever compares. */
import { OWN_TYPES } from './own-entry.js';

/** As they stand in the table `entry`. */
export interface Columns {
  topic: string;
  partition: number;
  offset: bigint;
  appendedAtMs: bigint;
  admitted: boolean;
  type: string | null;
  taskId: string | null;
  eventId: string | null;
}

/** A producer may claim a time that no calendar has: the leaf then has this text. */
const NO_TIME = '0000-01-01T00:00:00.000Z';

/**
 * What the log has to say about itself has no record, and of what it leaves out nothing is said here.
 * @returns undefined for bytes that are no envelope
 */
export function columnsOf(leaf: Buffer): Partial<Columns> | undefined {
  const said = parse(leaf);
  if (said === undefined) return undefined;
  const { topic, partition, offset, appendedAt } = isOwn(said) ? whereSaid(said) : said;
  return {
    ...(typeof topic === 'string' ? { topic } : {}),
    ...(typeof partition === 'number' ? { partition } : {}),
    ...(typeof offset === 'string' && /^\d{1,19}$/.test(offset) ? { offset: BigInt(offset) } : {}),
    ...timeOf(appendedAt),
    admitted: said.code === undefined,
    type: textOf(said.type),
    taskId: textOf(said.task),
    eventId: textOf(said.id),
  };
}

/** Names of the columns that do not say what the leaf says. */
export function differing(stored: Columns, said: Partial<Columns>): (keyof Columns)[] {
  return (Object.keys(said) as (keyof Columns)[]).filter((name) => stored[name] !== said[name]);
}

function parse(leaf: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(leaf.toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

const isOwn = ({ type }: Record<string, unknown>): boolean =>
  typeof type === 'string' && OWN_TYPES.includes(type);

/** What the log says of itself stands when it said so; a gap where the records that are gone began. */
const whereSaid = (said: Record<string, unknown>): Record<string, unknown> => ({
  ...said,
  offset: said.offset ?? (said.event as { from?: unknown } | undefined)?.from,
  appendedAt: said.at,
});

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

function timeOf(text: unknown): Pick<Columns, 'appendedAtMs'> | object {
  const ms = typeof text === 'string' && text !== NO_TIME ? Date.parse(text) : NaN;
  return Number.isNaN(ms) ? {} : { appendedAtMs: BigInt(ms) };
}
