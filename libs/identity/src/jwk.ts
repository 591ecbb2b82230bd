/** Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037) and their names (RFC 7638). */
import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { decodeBase64url, isObject } from './bytes.js';

export interface EcPublicJwk {
  kty: 'EC';
  crv: 'P-256';
  x: string;
  y: string;
}
export interface OkpPublicJwk {
  kty: 'OKP';
  crv: 'Ed25519' | 'X25519';
  x: string;
}
export interface RsaPublicJwk {
  kty: 'RSA';
  n: string;
  e: string;
}
/** Public members only, in any of the shapes Mayfly reads. */
export type PublicJwk = EcPublicJwk | OkpPublicJwk | RsaPublicJwk;

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** True for a private or a symmetric key: whoever sends one has given it away. */
export const hasPrivateMember = (jwk: Record<string, unknown>) =>
  PRIVATE_MEMBERS.some((member) => Object.hasOwn(jwk, member));

const is32Bytes = (value: unknown): value is string =>
  typeof value === 'string' && value.length === 43 && decodeBase64url(value)?.length === 32;

/**
 * A sender's proof key: EC P-256 or OKP Ed25519, coordinates of exactly 32 bytes, no private member. Other members are dropped.
 * That a P-256 point is on its curve is seen by `importPublicJwk`.
 */
export function readProofJwk(value: unknown): EcPublicJwk | OkpPublicJwk | undefined {
  if (!isObject(value) || hasPrivateMember(value)) return undefined;
  const { kty, crv, x, y } = value;
  if (!is32Bytes(x)) return undefined;
  if (kty === 'OKP' && crv === 'Ed25519') return { kty, crv, x };
  if (kty === 'EC' && crv === 'P-256' && is32Bytes(y)) return { kty, crv, x, y };
  return undefined;
}

/** The SHA-256 thumbprint of RFC 7638, base64url: required members only, in lexical order. */
export function thumbprint(jwk: PublicJwk | { kty: 'EC'; crv: string; x: string; y: string }): string {
  const members =
    jwk.kty === 'EC'
      ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }
      : jwk.kty === 'OKP'
        ? { crv: jwk.crv, kty: jwk.kty, x: jwk.x }
        : { e: jwk.e, kty: jwk.kty, n: jwk.n };
  return hash('sha256', JSON.stringify(members), 'base64url');
}

/** @returns undefined for a key that OpenSSL refuses, such as a point that is not on its curve. */
export function importPublicJwk(jwk: Record<string, unknown> | PublicJwk): KeyObject | undefined {
  try {
    return createPublicKey({ key: { ...jwk }, format: 'jwk' });
  } catch {
    return undefined;
  }
}
