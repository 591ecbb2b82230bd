import { refusal } from '../spec/refusal.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import { checkpointText, openCheckpoint, parseCheckpointText, signCheckpoint } from './checkpoint.js';
import { hashLeaf, type Hash } from './hash.js';
import { generateNoteKey, parseSigner, parseVerifier } from './note-key.js';
import { signNote } from './note.js';

/** Source: tessera@1811ae1 testdata (Apache-2.0), misspellings included. */
const SKEY = 'PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg';
const VKEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx';
const ORIGIN = 'example.com/log/testdata';
const WORDS = 'one two three four five six seven eit nain ten ileven twelf threeten fourten fivten'.split(
  ' ',
);

const head = (size: number): { origin: string; size: bigint; root: Hash } => ({
  origin: ORIGIN,
  size: BigInt(size),
  root: rootOf(
    append(
      EMPTY_RANGE,
      WORDS.slice(0, size).map((word) => hashLeaf(Buffer.from(word))),
    ),
  ),
});

it('signs the published checkpoint of 15 leaves byte for byte', () => {
  expect(signCheckpoint(head(15), [parseSigner(SKEY)])).toBe(
    `${ORIGIN}\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n\n— ${ORIGIN} M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6zdkdIQzd/fmwlM/dlPWF74ewI=\n`,
  );
});

it('has the published roots of 1 and 2 leaves', () => {
  expect(checkpointText(head(1))).toBe(`${ORIGIN}\n1\n0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=\n`);
  expect(checkpointText(head(2))).toBe(`${ORIGIN}\n2\nT1X2GdkhUjV3iyufF9b0kVsWFxIU0VI4EpNml2Teci4=\n`);
});

it('opens what it signed, at every size', () => {
  for (let size = 0; size <= 15; size += 1) {
    const note = signCheckpoint(head(size), [parseSigner(SKEY)]);
    expect(openCheckpoint(note, ORIGIN, [parseVerifier(VKEY)])).toEqual({
      ...head(size),
      root: Buffer.from(head(size).root),
    });
  }
});

it('accepts extension lines, and drops them', () => {
  expect(parseCheckpointText(`${checkpointText(head(2))}extension\n`).size).toBe(2n);
});

it('refuses a checkpoint of another log', () => {
  const note = signCheckpoint({ ...head(3), origin: 'example.com/other' }, [parseSigner(SKEY)]);
  expect(() => openCheckpoint(note, ORIGIN, [parseVerifier(VKEY)])).toThrow(refusal('ERR_CHECKPOINT_ORIGIN'));
});

it('refuses a checkpoint that only a witness signed', () => {
  const witness = parseSigner(generateNoteKey('witness.example/w1').skey);
  const note = signCheckpoint(head(3), [witness]);
  expect(() => openCheckpoint(note, ORIGIN, [parseVerifier(VKEY), parseVerifier(witness.vkey)])).toThrow(
    refusal('ERR_CHECKPOINT_ORIGIN'),
  );
});

it('refuses what is malformed, though it is signed', () => {
  const root = '0Nc2CrefWKseHj/mStd+LqC8B+NrX0btIiPt2SmN+ek=';
  for (const text of [
    `${ORIGIN}\n1\n`,
    `\n1\n${root}\n`,
    `${ORIGIN}\n01\n${root}\n`,
    `${ORIGIN}\n-1\n${root}\n`,
    `${ORIGIN}\n1e3\n${root}\n`,
    `${ORIGIN}\n\n${root}\n`,
    `${ORIGIN}\n9223372036854775808\n${root}\n`,
    `${ORIGIN}\n1\n${root.slice(4)}\n`,
    `${ORIGIN}\n1\n${root.replace('=', '')}\n`,
    `${ORIGIN}\n1\n${root}\n\n`,
  ]) {
    const note = signNote(text, [parseSigner(SKEY)]);
    expect(() => openCheckpoint(note, ORIGIN, [parseVerifier(VKEY)])).toThrow(
      refusal('ERR_CHECKPOINT_MALFORMED'),
    );
  }
});

it('writes no malformed checkpoint', () => {
  for (const bad of [{ origin: '' }, { origin: 'a\nb' }, { size: -1n }, { root: new Uint8Array(31) }])
    expect(() => checkpointText({ ...head(1), ...bad })).toThrow(refusal('ERR_CHECKPOINT_MALFORMED'));
});
