import { createHmac } from 'node:crypto';
import { hmac, hmacText } from './hmac.js';

/** RFC 4231 §4, those with keys of at most a block. */
it.each([
  ['0b'.repeat(20), '4869205468657265', 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7'],
  [
    '4a656665',
    '7768617420646f2079612077616e7420666f72206e6f7468696e673f',
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  ['aa'.repeat(20), 'dd'.repeat(50), '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe'],
  [
    '0102030405060708090a0b0c0d0e0f10111213141516171819',
    'cd'.repeat(50),
    '82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b',
  ],
])('makes what RFC 4231 has for the key %s', (key, message, mac) => {
  const [keyBytes, messageBytes] = [Buffer.from(key, 'hex'), Buffer.from(message, 'hex')];
  expect(hmac(keyBytes, messageBytes).toString('hex')).toBe(mac);
  expect(hmacText(keyBytes, messageBytes)).toBe(Buffer.from(mac, 'hex').toString('base64url'));
});

it.each([
  ['nothing', ''],
  ['text', 'an “é” and 𝔞'],
  ['half of a pair', 'a\ud800b'],
  ['just what fits', 'x'.repeat(16_384)],
  ['more than fits', 'é'.repeat(20_000)],
])('makes what `createHmac` makes of %s, whatever was hashed before', (_, message) => {
  const key = Buffer.alloc(32, 7);
  hmac(Buffer.alloc(64, 255), 'y'.repeat(16_384));
  const wanted = createHmac('sha256', key).update(message).digest();
  expect(hmac(key, message)).toEqual(wanted);
  expect(hmac(key, new Uint8Array(Buffer.from(message)))).toEqual(wanted);
});

it('refuses a key that is longer than a block', () => {
  expect(() => hmac(Buffer.alloc(65), '')).toThrow('the key is longer than a block');
});
