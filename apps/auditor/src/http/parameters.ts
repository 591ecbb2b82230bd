/** Parameters of a request: everything is text from outside, and an unknown one is an error rather than ignored. */
import { uuidV7 } from '#events/inbound.js';
import { ProblemError } from './problem.js';

const MAX_SEQ = 2n ** 53n - 1n;

export type Query = Readonly<Record<string, unknown>>;

/** @throws ProblemError ERR_PARAMETER_UNKNOWN */
export function rejectUnknown(query: Query, known: readonly string[]): void {
  if (Object.keys(query).some((name) => !known.includes(name)))
    throw new ProblemError('ERR_PARAMETER_UNKNOWN', 'a parameter is unknown', { known: known.join(' ') });
}

/** @throws ProblemError ERR_PARAMETER_INVALID where it is given twice, or as something else than text */
export function one(query: Query, name: string): string | undefined {
  const value = query[name];
  if (value !== undefined && typeof value !== 'string') throw invalid(name, 'may be given once');
  return value;
}

/** @throws ProblemError ERR_PARAMETER_INVALID */
export function seqOf(text: string, name = 'seq'): bigint {
  const seq = /^(0|[1-9][0-9]{0,15})$/.test(text) ? BigInt(text) : undefined;
  if (seq === undefined || seq > MAX_SEQ) throw invalid(name, 'must be a sequence number');
  return seq;
}

/** @throws ProblemError ERR_PARAMETER_INVALID */
export function taskIdOf(text: string): string {
  if (!uuidV7.safeParse(text).success) throw invalid('taskId', 'must be a lower-case UUIDv7');
  return text;
}

export const invalid = (parameter: string, detail: string): ProblemError =>
  new ProblemError('ERR_PARAMETER_INVALID', detail, { parameter });
