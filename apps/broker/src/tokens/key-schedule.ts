/**
 * When a key for tokens comes and goes: `published → active → retired → forgotten`. A key is published before it signs, so that
 * verifiers know it, and verifies until the last token that it signed has expired. Pure; times are epoch milliseconds.
 */
import type { SigningKeyCause } from '#events/signing-key.js';

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

/** Why a key is made, and at whose word. */
export interface Reason {
  why: SigningKeyCause;
  by?: string;
}
export type KeyStep =
  | { do: 'publish'; reason: Reason }
  /** The former one is retired. */
  | { do: 'activate'; kid: string }
  /** A new key signs at once, and no earlier one ever again. `compromised`: nor is the earlier one published. */
  | { do: 'replace'; reason: Reason; compromised: boolean }
  | { do: 'forget'; kid: string };

/**
 * `ahead`: the key signs as soon as verifiers can know it. `at_once`: they learn of it by its first token. `compromised`: the same,
 * and nothing that the present one signed is to be believed.
 */
export interface RotationOrder {
  how: 'ahead' | 'at_once' | 'compromised';
  reason: Reason;
}

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
  const { how, reason }: RotationOrder = ordered ?? { how: 'ahead', reason: { why: 'schedule' } };
  if (how !== 'ahead') return [...steps, { do: 'replace', reason, compromised: how === 'compromised' }];
  // Nobody can hold a token of ours yet, so there is nobody who would have to know the key before.
  if (active === undefined && next === undefined)
    return [...steps, { do: 'replace', reason: { why: 'first' }, compromised: false }];
  if (next !== undefined)
    return next.publishedAtMs + publishAheadMs <= nowMs
      ? [...steps, { do: 'activate', kid: next.kid }]
      : steps;
  if (ordered !== undefined) return [...steps, { do: 'publish', reason }];
  const dueAtMs = (active?.activeAtMs ?? nowMs) + rotateEveryMs - publishAheadMs;
  return dueAtMs <= nowMs ? [...steps, { do: 'publish', reason }] : steps;
}
