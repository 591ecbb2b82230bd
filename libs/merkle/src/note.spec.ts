import { generateNoteKey, parseSigner, parseVerifier } from '../node/keys.js';
import { flipsOf, incrementsOf, partsOf } from '../spec/mangled.js';
import { isRefused, refusal } from '../spec/refusal.js';
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
    expect(verified.map(({ key }) => key)).toEqual([verifier]);
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
    expect(flipsOf(NOTE).filter((note) => !isRefused(() => openNote(note, [peter])))).toEqual([]);
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

  it('verifies at least 16 signatures, each of another key', () => {
    const signers = Array.from({ length: 16 }, (_, i) =>
      parseSigner(generateNoteKey(`key.example/${i}`).skey),
    );
    const note = signNote(TEXT, signers);
    const { verified } = openNote(
      note,
      signers.map(({ vkey }) => parseVerifier(vkey)),
    );
    expect(verified.map(({ key }) => key.name)).toEqual(signers.map(({ name }) => name));
  });

  it('ignores signatures of types that it does not know, of any length', () => {
    const [name, keyId] = [peter.name, peter.keyId ^ 1];
    const lines = [2_420, 64, 1].map((bytes) => signatureLine(name, keyId, new Uint8Array(bytes)));
    expect(openNote(NOTE + lines.join(''), [peter])).toMatchObject({ text: TEXT, unknown: 3 });
  });

  it('opens for those who know the old key and for those who know the new one, while a key is changed', () => {
    const [old, next] = [generateNoteKey('log.example'), generateNoteKey('log.example')];
    const note = signNote(TEXT, [parseSigner(old.skey), parseSigner(next.skey)]);
    for (const { vkey } of [old, next])
      expect(openNote(note, [parseVerifier(vkey)]).verified).toHaveLength(1);
    const both = [old, next].map(({ vkey }) => parseVerifier(vkey));
    expect(openNote(note, both).verified).toHaveLength(2);
  });

  it('refuses every proper part of a note', () => {
    expect(partsOf(NOTE).filter((note) => !isRefused(() => openNote(note, [peter])))).toEqual([]);
  });

  it('refuses every single character plus one', () => {
    expect(incrementsOf(NOTE).filter((note) => !isRefused(() => openNote(note, [peter])))).toEqual([]);
  });
});

it('signs no text that a note cannot hold', () => {
  const signer = parseSigner(SKEY);
  for (const text of ['abc', 'a\tb\n', 'a\r\n', '\ud800\n'])
    expect(() => signNote(text, [signer])).toThrow(refusal('ERR_NOTE_MALFORMED'));
  expect(() => signNote(TEXT, [])).toThrow(refusal('ERR_NOTE_MALFORMED'));
});
