import { anyRefusal, refusal } from '../spec/refusal.js';
import { generateNoteKey, isKeyName, parseSigner, parseVerifier } from './note-key.js';
import { NOTE_LIMITS, openNote, parseNote, signatureLine, signNote } from './note.js';

/** Source: golang/mod@fe2ec04 sumdb/note/note_test.go. Ed25519 is deterministic, so the output is byte exact. */
const SKEY = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const VKEY = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT =
  "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNATURE =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';
const NOTE = `${TEXT}\n${SIGNATURE}`;

describe('published notes', () => {
  it('signs byte for byte as published', () => {
    const signer = parseSigner(SKEY);
    expect(signer.vkey).toBe(VKEY);
    expect(signNote(TEXT, [signer])).toBe(NOTE);
  });

  it.each([
    [VKEY, NOTE],
    [
      'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k',
      'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n',
    ],
    [
      'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8',
      'go.sum database tree\n6476701\nmb8QLQIs0Z0yP5Cstq6guj87oXWeC9gEM8oVikmm9Wk=\n\n— sum.golang.org Az3grsLX85Gz+s1SiTbgkuqxgItqFq7gsMUEyVnrsa9LM7Us9S+1xbFIGu95949rj4nPRYfvimWEPWL+o3GeoWwOoAw=\n',
    ],
  ])('opens the note of %s', (vkey, note) => {
    const verifier = parseVerifier(vkey);
    const { text, verified } = openNote(note, [verifier]);
    expect(`${text}\n`).toBe(note.slice(0, note.lastIndexOf('\n\n') + 2));
    expect(verified).toEqual([{ name: verifier.name, keyId: verifier.keyId }]);
  });
});

describe('keys', () => {
  const mangled = (key: string): string[] => {
    const all: string[] = [];
    for (let from = 0; from < key.length; from += 1)
      for (let to = from + 1; to <= key.length; to += 1)
        if (to - from < key.length) all.push(key.slice(from, to));
    for (let at = 0; at < key.length; at += 1)
      all.push(key.slice(0, at) + String.fromCharCode(key.charCodeAt(at) + 1) + key.slice(at + 1));
    return all;
  };

  it('refuses every proper part of a public key and every byte plus one', () => {
    for (const key of mangled(VKEY))
      expect(() => parseVerifier(key)).toThrow(refusal('ERR_NOTE_KEY_INVALID'));
  });

  it('refuses every proper part of a private key and every byte plus one', () => {
    for (const key of mangled(SKEY)) expect(() => parseSigner(key)).toThrow(refusal('ERR_NOTE_KEY_INVALID'));
  });

  it('refuses a key of another length and of an unknown algorithm', () => {
    for (const key of [
      'PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==',
      'PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW',
    ])
      expect(() => parseVerifier(key)).toThrow(refusal('ERR_NOTE_KEY_INVALID'));
  });

  it('names no key with a space, a plus sign or nothing', () => {
    expect(isKeyName('example.com/log')).toBe(true);
    for (const name of ['', 'a b', 'a+b', 'a\u00a0b', 'a\u2003b', 'a\nb', '\ud800'])
      expect(isKeyName(name)).toBe(false);
    expect(() => generateNoteKey('a+b')).toThrow(refusal('ERR_NOTE_KEY_INVALID'));
  });

  it('makes a fresh pair whose halves belong together', () => {
    const { skey, vkey } = generateNoteKey('mayfly.dev/log');
    const note = signNote('hello\n', [parseSigner(skey)]);
    expect(parseSigner(skey).vkey).toBe(vkey);
    expect(openNote(note, [parseVerifier(vkey)]).text).toBe('hello\n');
  });
});

describe('opening', () => {
  const peter = parseVerifier(VKEY);
  const other = parseSigner(generateNoteKey('witness.example/w1').skey);

  it('skips signatures of unknown keys', () => {
    const note = signNote(TEXT, [other, parseSigner(SKEY)]);
    expect(openNote(note, [peter])).toMatchObject({ text: TEXT, unknown: 1 });
    expect(openNote(note, [peter, parseVerifier(other.vkey)]).verified).toHaveLength(2);
  });

  it('keeps blank lines in the text: the last one ends it', () => {
    const text = 'one\n\ntwo\n\n';
    const note = signNote(text, [parseSigner(SKEY)]);
    expect(openNote(note, [peter]).text).toBe(text);
  });

  it('refuses a note that none of the given keys signed', () => {
    expect(() => openNote(NOTE, [parseVerifier(other.vkey)])).toThrow(refusal('ERR_NOTE_UNTRUSTED'));
    expect(() => openNote(NOTE, [])).toThrow(refusal('ERR_NOTE_UNTRUSTED'));
  });

  it('refuses the whole note when a known key did not sign it, though another did', () => {
    const forged = signatureLine(peter.name, peter.keyId, new Uint8Array(64));
    const note = `${signNote(TEXT, [other])}${forged}`;
    expect(() => openNote(note, [peter, parseVerifier(other.vkey)])).toThrow(
      refusal('ERR_NOTE_SIGNATURE_INVALID'),
    );
  });

  it('refuses every single flipped bit', () => {
    const bytes = Buffer.from(NOTE);
    for (let bit = 0; bit < bytes.length * 8; bit += 1) {
      const copy = Buffer.from(bytes);
      copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(() => openNote(copy.toString(), [peter])).toThrow(anyRefusal);
    }
  });

  it('refuses what is malformed', () => {
    const line = SIGNATURE;
    for (const note of [
      '',
      'abc',
      TEXT,
      `${TEXT}\n`,
      `${TEXT}${line}`,
      `${TEXT}\n${line.trimEnd()}`,
      `${TEXT}\n${line.replace('—', '-')}`,
      `${TEXT}\n${line.replace(' PeterNeumann', '')}`,
      `${TEXT}\n${line.replace('PeterNeumann ', 'Peter Neumann ')}`,
      `${TEXT}\n${line.replace('=', '')}`,
      `${TEXT}\n${line.replace('=\n', '=!\n')}`,
      `${TEXT}\n— PeterNeumann AAAAAA==\n`,
      `${TEXT.replace('\n', '\r\n')}\n${line}`,
      `\u0000${TEXT}\n${line}`,
      `\ud800${TEXT}\n${line}`,
      `${TEXT}\n${line.repeat(NOTE_LIMITS.signatures + 1)}`,
      `${'x'.repeat(NOTE_LIMITS.bytes)}\n\n${line}`,
    ])
      expect(() => parseNote(note)).toThrow(refusal('ERR_NOTE_MALFORMED'));
  });

  it('reads at least 16 signatures', () => {
    expect(parseNote(`${TEXT}\n${SIGNATURE.repeat(16)}`).signatures).toHaveLength(16);
  });
});

it('signs no text that a note cannot hold', () => {
  const signer = parseSigner(SKEY);
  for (const text of ['abc', 'a\tb\n', 'a\r\n', '\ud800\n'])
    expect(() => signNote(text, [signer])).toThrow(refusal('ERR_NOTE_MALFORMED'));
  expect(() => signNote(TEXT, [])).toThrow(refusal('ERR_NOTE_MALFORMED'));
});
