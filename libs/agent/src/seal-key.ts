/** The seal key: what a credential is sealed to. One for each call, kept in memory only, never the proof key. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { SealKey } from '#events/inbound.js';
import { thumbprint } from '#identity/jwk.js';

export interface SealKeyPair {
  /** Goes into `tool.called` as `sealTo`. */
  publicJwk: SealKey & { use: 'enc' };
  /** RFC 7638 thumbprint of the public key: `kid` of the envelope. */
  thumbprint: string;
  privateKey: KeyObject;
}

export function generateSealKey(curve: 'P-256' | 'X25519' = 'P-256'): SealKeyPair {
  const { privateKey } =
    curve === 'P-256' ? generateKeyPairSync('ec', { namedCurve: curve }) : generateKeyPairSync('x25519');
  const { x, y } = createPublicKey(privateKey).export({ format: 'jwk' });
  const publicJwk: SealKeyPair['publicJwk'] =
    curve === 'P-256'
      ? { kty: 'EC', crv: curve, x: x!, y: y!, use: 'enc' }
      : { kty: 'OKP', crv: curve, x: x!, use: 'enc' };
  return { publicJwk, thumbprint: thumbprint(publicJwk), privateKey };
}
