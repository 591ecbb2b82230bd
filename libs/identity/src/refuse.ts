import type { RefusalCode } from '#events/refusal.js';

/**
 * Something that was checked, or the reason why it did not pass. `C`: the closed union of what may be wrong; that of the bus
 * unless a check has its own.
 */
export type Checked<T, C extends string = RefusalCode> = ({ ok: true } & T) | Refused<C>;
export interface Refused<C extends string = RefusalCode> {
  ok: false;
  refusal: { code: C; reason: string; fields?: Record<string, string | number> };
}

/** A refusal: `reason` is constant text, and what varies goes in `fields` (never a secret, never unbounded input). */
export const refuse = <C extends string>(
  code: C,
  reason: string,
  fields?: Record<string, string | number>,
): Refused<C> => ({ ok: false, refusal: fields === undefined ? { code, reason } : { code, reason, fields } });
