/**
 * What is dead, as verifiers are told on `mayfly.revocations.v1` (docs/design/events, "Revocations"): the record, the heartbeat,
 * their keys and the sum that both ends compare. Strict when we write, tolerant of unknown members when we read. Pure: the hash
 * is passed in.
 */
import { z } from 'zod';
import { wireType } from './inbound.js';

export const REVOCATION_TYPE = wireType('revocation');
export const HEARTBEAT_TYPE = wireType('revocation.heartbeat');
export const HEARTBEAT_KEY = 'heartbeat';

/** Longest value that is parsed, in bytes: the heartbeat names every partition of the revoker's inputs. */
export const MAX_REVOCATION_BYTES = 65_536;
/** How long after its `notAfter` a record stays: verifiers' clocks differ, and may be reading still. */
export const REVOCATION_GRACE_MS = 60_000;

export const REVOKED_KINDS = ['task', 'lease', 'agent', 'key'] as const;
export type RevokedKind = (typeof REVOKED_KINDS)[number];

const timestamp = z.iso.datetime({ offset: false }).max(40);
const offset = z.string().regex(/^(0|[1-9][0-9]{0,18})$/, 'expected an offset');

export const revocationRecord = z.object({
  /** Numbers all that the revoker says here; two of its processes may send out of order. */
  seq: z.int().nonnegative(),
  what: z.enum(REVOKED_KINDS),
  id: z.string().min(1).max(2048),
  /** Dead is what has a lower generation; null: everything. Of one key it only grows, and null is the highest. */
  generationBelow: z.int().positive().nullable(),
  /** After it nothing of this could be valid any more, so the record may be forgotten. */
  notAfter: timestamp,
  reason: z.string().max(128),
});
export type RevocationRecord = z.infer<typeof revocationRecord>;

export const revocationHeartbeat = z.object({
  seq: z.int().nonnegative(),
  at: timestamp,
  /** Topic → partition → the offset that the revoker reads next. */
  inputsReadUpTo: z.record(z.string().max(249), z.record(z.string().regex(/^[0-9]{1,6}$/), offset)),
  live: z.int().nonnegative(),
  setDigest: z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits'),
});
export type RevocationHeartbeat = z.infer<typeof revocationHeartbeat>;

/** The record's key on the topic: `task:…`, `lease:…`, `agent:…`, `key:…`. */
export const revocationKey = ({ what, id }: { what: RevokedKind; id: string }) => `${what}:${id}`;

export type RevocationReading =
  | { ok: true; type: 'revocation'; revocation: RevocationRecord }
  | { ok: true; type: 'heartbeat'; heartbeat: RevocationHeartbeat }
  | { ok: false; reason: string };

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** What a value says, and that it stands under its own key. Who wrote it is not looked at. */
export function readRevocation(key: string, value: Uint8Array): RevocationReading {
  if (value.length > MAX_REVOCATION_BYTES) return { ok: false, reason: 'the value is too large' };
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(value));
  } catch {
    return { ok: false, reason: 'the value is no JSON' };
  }
  if (key === HEARTBEAT_KEY) {
    const { success, data } = revocationHeartbeat.safeParse(json);
    return success
      ? { ok: true, type: 'heartbeat', heartbeat: data }
      : { ok: false, reason: 'the value is no heartbeat' };
  }
  const { success, data } = revocationRecord.safeParse(json);
  if (!success) return { ok: false, reason: 'the value is no revocation' };
  if (revocationKey(data) !== key) return { ok: false, reason: 'the revocation stands under another key' };
  return { ok: true, type: 'revocation', revocation: data };
}

/** True if `told` kills something that `before` left alive. */
export function saysMore(
  told: Pick<RevocationRecord, 'generationBelow'>,
  before: Pick<RevocationRecord, 'generationBelow'>,
): boolean {
  if (before.generationBelow === null) return false;
  return told.generationBelow === null || told.generationBelow > before.generationBelow;
}

export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** SHA-256(key ‖ 0x00 ‖ value) over the bytes as they stand on the topic. */
export function digestOfRecord(sha256: Sha256, key: string, value: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(key);
  const bytes = new Uint8Array(name.length + 1 + value.length);
  bytes.set(name);
  bytes.set(value, name.length + 1);
  return sha256(bytes);
}

/** `sum` ⊕= `digest`: the same call puts a record in and takes it out. Requires 32 bytes each. */
export function xorInto(sum: Uint8Array, digest: Uint8Array): void {
  for (let i = 0; i < sum.length; i += 1) sum[i] = (sum[i] ?? 0) ^ (digest[i] ?? 0);
}

/** `setDigest` of the heartbeat: XOR over the live records, in lower-case hex. Of no record it is 64 zeros. */
export function setDigestOf(
  sha256: Sha256,
  live: Iterable<readonly [key: string, value: Uint8Array]>,
): string {
  const sum = new Uint8Array(32);
  for (const [key, value] of live) xorInto(sum, digestOfRecord(sha256, key, value));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
