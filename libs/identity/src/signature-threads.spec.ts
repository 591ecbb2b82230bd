import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { SignatureThreads, type Way } from './signature-threads.js';

const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ed25519 = generateKeyPairSync('ed25519');
const wayOf = (key: KeyObject, digest: string | null): Way => ({
  digest,
  options: { key, dsaEncoding: 'ieee-p1363' },
});
const BY_EC = wayOf(ec.publicKey, 'sha256');
const BY_ED25519 = wayOf(ed25519.publicKey, null);

/** The nth text, signed; each third by the other key. */
function signed(n: number): [Way, Buffer, Buffer] {
  const input = Buffer.from(`record ${n}`.padEnd(100 + (n % 7), '.'));
  return n % 3 === 0
    ? [BY_ED25519, input, sign(null, input, ed25519.privateKey)]
    : [BY_EC, input, sign('sha256', input, { key: ec.privateKey, dsaEncoding: 'ieee-p1363' })];
}

describe('signatures given to other threads', () => {
  it('a hundred are each answered for, whichever key they are by and however many share a message', async () => {
    const threads = new SignatureThreads({ count: 2 });
    const isForged = (n: number) => n % 5 === 0;
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => {
        const [way, input, signature] = signed(n);
        return threads.check(way, isForged(n) ? Buffer.from(`${input.toString()}!`) : input, signature);
      }),
    );
    expect(answers).toEqual(Array.from({ length: 100 }, (_, n) => !isForged(n)));
  });

  it('one by itself does not wait for others', async () => {
    expect(await new SignatureThreads({ count: 1 }).check(...signed(1))).toBe(true);
  });

  it('what OpenSSL cannot even try is nobody\u2019s but that one\u2019s', async () => {
    const threads = new SignatureThreads({ count: 1 });
    const [, input, signature] = signed(1);
    const noDigest = wayOf(ec.publicKey, 'no-such-digest');
    expect(
      await Promise.all([threads.check(noDigest, input, signature), threads.check(BY_EC, input, signature)]),
    ).toEqual([undefined, true]);
  });

  it('a thread that dies with checks in hand leaves each of them to who asked', async () => {
    const threads = new SignatureThreads({ count: 1, heap: { maxOldGenerationSizeMb: 1 } });
    const ask = () => Promise.all([1, 2, 3].map((n) => threads.check(...signed(n))));
    expect(await ask()).toEqual([undefined, undefined, undefined]);
    expect(await ask()).toEqual([undefined, undefined, undefined]);
  });

  it('a thread nobody needs ends, and another is there for the next', async () => {
    const threads = new SignatureThreads({ count: 1, idleMs: 20 });
    expect(await threads.check(...signed(1))).toBe(true);
    await delay(200);
    expect(await threads.check(...signed(2))).toBe(true);
  });
});
