/**
 * New keys, without `generateKeyPairSync`: what it makes is held by its own job until that is collected, and a collection in the middle of an
 * export waits for the lock that the export holds, for ever (seen with Node 20: once in some ten thousand keys). Who asks for
 * enough credentials would stop a broker so.
 */
import { createECDH, createPrivateKey, createPublicKey, randomBytes, type KeyObject } from 'node:crypto';
import type { EcPublicJwk, OkpPublicJwk } from './jwk.js';

export interface NewKey<Jwk> {
  privateKey: KeyObject;
  publicJwk: Jwk;
}

const COORDINATE_BYTES = 32;
/** Node asks for `x` and takes the public half from the private one. Never `d`: were it kept, it would be told as public. */
const NOT_LOOKED_AT = Buffer.alloc(COORDINATE_BYTES).toString('base64url');

export function newP256Key(): NewKey<EcPublicJwk> {
  const ours = createECDH('prime256v1');
  const point = ours.generateKeys();
  const text = (from: number) => point.subarray(from, from + COORDINATE_BYTES).toString('base64url');
  const publicJwk = { kty: 'EC', crv: 'P-256', x: text(1), y: text(1 + COORDINATE_BYTES) } as const;
  // OpenSSL leaves leading zeros out.
  const d = Buffer.alloc(COORDINATE_BYTES);
  const scalar = ours.getPrivateKey();
  scalar.copy(d, COORDINATE_BYTES - scalar.length);
  const privateKey = createPrivateKey({
    key: { ...publicJwk, d: d.toString('base64url') },
    format: 'jwk',
  });
  return { privateKey, publicJwk };
}

/** Any 32 bytes are a private key (RFC 7748 §5). */
export function newX25519Key(): NewKey<OkpPublicJwk & { crv: 'X25519' }> {
  const d = randomBytes(COORDINATE_BYTES).toString('base64url');
  const privateKey = createPrivateKey({
    key: { kty: 'OKP', crv: 'X25519', d, x: NOT_LOOKED_AT },
    format: 'jwk',
  });
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return { privateKey, publicJwk: { kty: 'OKP', crv: 'X25519', x: String(x) } };
}
