/** Ed25519 (RFC 8032) by `node:crypto`, in the form that `../src/platform.ts` asks for. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { Ed25519 } from '../src/platform.js';

/** PKCS #8 of an Ed25519 seed (RFC 8410 §7) is this and the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

export const ed25519: Ed25519 = {
  verifier: (publicKey) => {
    const x = Buffer.from(publicKey).toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return (message, signature) => verify(null, message, key, signature);
  },
  signer: (seed) => {
    const der = Buffer.concat([PKCS8_PREFIX, seed]);
    const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
    const { x } = createPublicKey(key).export({ format: 'jwk' });
    return { publicKey: Buffer.from(x as string, 'base64url'), sign: (message) => sign(null, message, key) };
  },
};
