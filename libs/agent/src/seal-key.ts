/** The seal key: what a credential is sealed to. One for each call, kept in memory only, never the proof key. */
import type { KeyObject } from 'node:crypto';
import type { SealKey } from '#events/inbound.js';
import { thumbprint } from '#identity/jwk.js';
import { newP256Key, newX25519Key } from '#identity/new-key.js';

export interface SealKeyPair {
  /** Goes into `tool.called` as `sealTo`. */
  publicJwk: SealKey & { use: 'enc' };
  /** RFC 7638 thumbprint of the public key: `kid` of the envelope. */
  thumbprint: string;
  privateKey: KeyObject;
}

/** Sealing to X25519 and opening take about half of what they take with P-256, which some rules ask for. */
export function generateSealKey(curve: 'P-256' | 'X25519' = 'X25519'): SealKeyPair {
  const { privateKey, publicJwk } = curve === 'P-256' ? newP256Key() : newX25519Key();
  return { publicJwk: { ...publicJwk, use: 'enc' }, thumbprint: thumbprint(publicJwk), privateKey };
}
