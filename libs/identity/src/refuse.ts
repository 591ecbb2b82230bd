import type { Refusal, RefusalCode } from '#events/refusal.js';

/** Something that was checked, or the reason why it did not pass. */
export type Checked<T> = ({ ok: true } & T) | Refused;
export interface Refused {
  ok: false;
  refusal: Refusal;
}

/** A refusal: `reason` is constant text, and what varies goes in `fields` (never a secret, never unbounded input). */
export const refuse = (
  code: RefusalCode,
  reason: string,
  fields?: Record<string, string | number>,
): Refused => ({ ok: false, refusal: fields === undefined ? { code, reason } : { code, reason, fields } });
