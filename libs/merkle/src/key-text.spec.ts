import { createHash } from 'node:crypto';
import {
  generateNoteKey,
  generateWitnessKey,
  parseCosigner,
  parseSigner,
  parseVerifier,
  parseWitness,
  platform,
} from '../node/keys.js';
import { incrementsOf, partsOf } from '../spec/mangled.js';
import { isRefused, refusal } from '../spec/refusal.js';
import { isKeyName, keyPair } from './key-text.js';
import { openNote, signNote } from './note.js';

/** Source: golang/mod@fe2ec04 sumdb/note/note_test.go. */
const SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const invalid = refusal('ERR_NOTE_KEY_INVALID');

it('refuses every proper part of a public key and every byte plus one', () => {
  const all = [...partsOf(VKEY), ...incrementsOf(VKEY)];
  expect(all.filter((key) => !isRefused(() => parseVerifier(key), 'ERR_NOTE_KEY_INVALID'))).toEqual([]);
});

it('refuses every proper part of a private key and every byte plus one', () => {
  const all = [...partsOf(SKEY), ...incrementsOf(SKEY)];
  expect(all.filter((key) => !isRefused(() => parseSigner(key), 'ERR_NOTE_KEY_INVALID'))).toEqual([]);
});

it('refuses a key of another length and of an unknown algorithm', () => {
  for (const key of [
    'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
    'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
  ])
    expect(() => parseVerifier(key)).toThrow(invalid);
});

it('names no key with a space, a plus sign or nothing', () => {
  expect(isKeyName('example.com/log')).toBe(true);
  for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\u2003b', 'a\nb', '\ud800'])
    expect(isKeyName(name)).toBe(false);
  expect(() => generateNoteKey('a+b')).toThrow(invalid);
});

it('makes a fresh pair whose halves belong together', () => {
  const { skey, vkey } = generateNoteKey('mayfly.dev/log');
  const note = signNote('hello\n', [parseSigner(skey)]);
  expect(parseSigner(skey).vkey).toBe(vkey);
  expect(openNote(note, [parseVerifier(vkey)]).text).toBe('hello\n');
});

it('makes the fresh pair of a witness, which is no key of a log', () => {
  const { skey, vkey } = generateWitnessKey('witness.example/w1');
  expect(parseCosigner(skey).vkey).toBe(vkey);
  expect(parseWitness(vkey).type).toBe('cosignature');
  expect(() => parseVerifier(vkey)).toThrow(invalid);
  expect(() => parseSigner(skey)).toThrow(invalid);
});

it('makes no key of a seed of another length', () => {
  for (const bytes of [0, 31, 33, 64])
    expect(() => keyPair(platform, 'log.example', new Uint8Array(bytes))).toThrow(invalid);
});

describe('the key of RFC 8037 appendix A', () => {
  const [d, x] = [
    'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A',
    '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo',
  ];
  const vkey = 'audit.example/log+a21afb2a+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';

  it('is the same key as text and as JWK', () => {
    expect(keyPair(platform, 'audit.example/log', Buffer.from(d, 'base64url')).vkey).toBe(vkey);
    expect(Buffer.from(parseVerifier(vkey).publicKey).toString('base64url')).toBe(x);
  });

  it('has the published thumbprint (RFC 7638)', () => {
    const jwk = {
      crv: 'Ed25519',
      kty: 'OKP',
      x: Buffer.from(parseVerifier(vkey).publicKey).toString('base64url'),
    };
    expect(createHash('sha256').update(JSON.stringify(jwk)).digest('base64url')).toBe(
      'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k',
    );
  });

  it('makes the published signature', () => {
    const { skey } = keyPair(platform, 'audit.example/log', Buffer.from(d, 'base64url'));
    const text = 'audit.example/log\n8\nXcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=\n';
    expect(signNote(text, [parseSigner(skey)])).toBe(
      `${text}\n— audit.example/log ohr7KmGlXaemhF+nvpNmGsZQ+pHaRiS9itxhplMk8zxzBsBqXpEtNoa7yVGovySc66qoWXfaZG6GEcQ0lTU4PZ2EXAw=\n`,
    );
  });
});
