/**
 * A principal's name: `k`, the namespace, and the lease's UUIDv7 in lower-case Crockford base32 (26 characters), 30 in
 * all. It fits every kind's limit, needs no quoting, carries its own creation time, and reads back to the lease.
 */
import { isLeaseId } from './lease-id.js';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
/** 26 digits hold 130 bits: the first one is at most 7. */
const ENCODED = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;
const DIGITS = 26;

/** Requires a lower-case UUIDv7. @throws RangeError */
export function principalOf(namespace: string, leaseId: string): string {
  if (!isLeaseId(leaseId)) throw new RangeError('lease id is not a lower-case UUIDv7');
  const value = BigInt(`0x${leaseId.replaceAll('-', '')}`);
  let encoded = '';
  for (let digit = DIGITS - 1; digit >= 0; digit--) {
    encoded += ALPHABET[Number((value >> BigInt(5 * digit)) & 31n)];
  }
  return `k${namespace}${encoded}`;
}

/** The lease a principal belongs to; `null` when the name is not one of ours. */
export function leaseIdOf(namespace: string, principal: string): string | null {
  const prefix = `k${namespace}`;
  const encoded = principal.slice(prefix.length);
  if (!principal.startsWith(prefix) || !ENCODED.test(encoded)) return null;
  let value = 0n;
  for (const digit of encoded) value = (value << 5n) | BigInt(ALPHABET.indexOf(digit));
  const hex = value.toString(16).padStart(32, '0');
  const leaseId = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join('-');
  return isLeaseId(leaseId) ? leaseId : null;
}
