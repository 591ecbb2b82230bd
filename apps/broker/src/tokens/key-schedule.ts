/**
 * When a key for tokens comes and goes: `published → active → retired → forgotten`. A key is published before it signs, so that
 * verifiers know it, and verifies until the last token that it signed has expired. Pure; times are epoch milliseconds.
 */
import type { SigningKeyCause } from '#events/outbound.js';

export interface ScheduledKey {
  kid: string;
  state: 'published' | 'active' | 'retired';
  publishedAtMs: number;
  /** Since when it signs, or signed. */
  activeAtMs: number | null;
  retiredAtMs: number | null;
}

export interface KeySchedule {
  rotateEveryMs: number;
  /** From publication to the first signature, at least. */
  publishAheadMs: number;
  /** From the last signature to the expiry of the longest token, and more. */
  keepMs: number;
}

export type KeyStep =
  | { do: 'publish'; why: SigningKeyCause }
  /** The former one is retired. */
  | { do: 'activate'; kid: string }
  /** A new key signs at once, and no earlier one ever again. */
  | { do: 'replace'; why: SigningKeyCause }
  | { do: 'forget'; kid: string };

/** `order`: as soon as verifiers can know the new key. `restored`: at once, for what the earlier ones signed is not known. */
export type RotationOrder = 'order' | 'restored';

export function dueSteps(
  keys: readonly ScheduledKey[],
  { rotateEveryMs, publishAheadMs, keepMs }: KeySchedule,
  nowMs: number,
  ordered?: RotationOrder,
): KeyStep[] {
  const forgotten = keys.filter(({ retiredAtMs }) => retiredAtMs !== null && retiredAtMs + keepMs <= nowMs);
  const steps: KeyStep[] = forgotten.map(({ kid }) => ({ do: 'forget', kid }));
  const active = keys.find(({ state }) => state === 'active');
  const next = keys.find(({ state }) => state === 'published');
  if (ordered === 'restored') return [...steps, { do: 'replace', why: 'restored' }];
  // Nobody can hold a token of ours yet, so there is nobody who would have to know the key before.
  if (active === undefined && next === undefined) return [...steps, { do: 'replace', why: 'first' }];
  if (next !== undefined)
    return next.publishedAtMs + publishAheadMs <= nowMs
      ? [...steps, { do: 'activate', kid: next.kid }]
      : steps;
  if (ordered !== undefined) return [...steps, { do: 'publish', why: ordered }];
  const dueAtMs = (active?.activeAtMs ?? nowMs) + rotateEveryMs - publishAheadMs;
  return dueAtMs <= nowMs ? [...steps, { do: 'publish', why: 'schedule' }] : steps;
}
