import { execFileSync } from 'node:child_process';
import { createPublicKey, diffieHellman, sign, verify } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { importPublicJwk } from './jwk.js';
import { newP256Key, newX25519Key } from './new-key.js';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe('a new key', () => {
  // One private key in 256 begins with a zero, which OpenSSL leaves out.
  it('for signatures has the public half that verifies them, each of a thousand', () => {
    for (let n = 0; n < 1_000; n += 1) {
      const { privateKey, publicJwk } = newP256Key();
      const signature = sign('sha256', Buffer.from('said'), privateKey);
      const publicKey = importPublicJwk(publicJwk);
      expect(publicKey && verify('sha256', Buffer.from('said'), publicKey, signature)).toBe(true);
      expect(createPublicKey(privateKey).export({ format: 'jwk' })).toEqual(publicJwk);
    }
  });

  it('to agree by has the public half of its private one', () => {
    const [ours, theirs] = [newX25519Key(), newX25519Key()];
    const [ourPublic, theirPublic] = [importPublicJwk(ours.publicJwk), importPublicJwk(theirs.publicJwk)];
    expect(ourPublic).toBeDefined();
    expect(diffieHellman({ privateKey: ours.privateKey, publicKey: theirPublic! })).toEqual(
      diffieHellman({ privateKey: theirs.privateKey, publicKey: ourPublic! }),
    );
  });

  it.each([newP256Key, newX25519Key])('is another one each time (%p)', (make) => {
    expect(new Set(Array.from({ length: 20 }, () => make().publicJwk.x)).size).toBe(20);
  });

  // With `generateKeyPairSync` this process stopped for ever before it had made four thousand of each.
  it('never stops the process that makes it', () => {
    const hooks = at('../../bus/test/typescript-hooks.mjs');
    const args = [
      '--conditions=source',
      '--import',
      hooks,
      '--max-semi-space-size=1',
      at('../test/many-keys.mjs'),
      '4000',
    ];
    const env = { ...process.env, NODE_OPTIONS: '' };
    expect(execFileSync(process.execPath, args, { env, encoding: 'utf8', timeout: 60_000 })).toBe('made');
  }, 90_000);
});
