import { hasher } from '../node/hasher.js';
import {
  generateNoteKey,
  generateWitnessKey,
  parseCosigner,
  parseSigner,
  parseVerifier,
  parseWitness,
} from '../node/keys.js';
import { plain } from '../spec/leaves.js';
import { refusal } from '../spec/refusal.js';
import { TESSERA } from '../spec/tessera.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import { checkpointText, openCheckpoint, parseCheckpointText, signCheckpoint } from './checkpoint.js';
import type { Hash } from './hash.js';
import { signNote } from './note.js';

const { skey: SKEY, vkey: VKEY, origin: ORIGIN, leaves, checkpoints } = TESSERA;

const head = (size: number): { origin: string; size: bigint; root: Hash } => {
  const range = append(
    hasher,
    EMPTY_RANGE,
    leaves.slice(0, size).map((leaf) => hasher.leaf(leaf)),
  );
  return { origin: ORIGIN, size: BigInt(size), root: plain(rootOf(hasher, range)) };
};

it('signs the 16 published checkpoints byte for byte', () => {
  const signed = checkpoints.map((_, size) => signCheckpoint(head(size), [parseSigner(SKEY)]));
  expect(signed).toEqual(checkpoints);
});

it('opens what it signed, at every size', () => {
  for (let size = 0; size <= 15; size += 1) {
    const note = signCheckpoint(head(size), [parseSigner(SKEY)]);
    expect(openCheckpoint(note, ORIGIN, [parseVerifier(VKEY)])).toEqual(head(size));
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

it('refuses a checkpoint that a witness of the same name cosigned, and the log did not sign', () => {
  const key = generateWitnessKey(ORIGIN);
  const text = checkpointText(head(3));
  const note = `${text}\n${parseCosigner(key.skey).cosign(text, 1_785_500_000n)}`;
  expect(() => openCheckpoint(note, ORIGIN, [parseVerifier(VKEY), parseWitness(key.vkey)])).toThrow(
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
