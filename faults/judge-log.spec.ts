import { signCheckpoint } from '#merkle/checkpoint.js';
import { append, EMPTY_RANGE, encodeNodes, rootOf } from '#merkle/compact-range.js';
import { hasher } from '#merkle/node/hasher.js';
import { generateNoteKey, parseSigner, parseVerifier } from '#merkle/node/keys.js';
import { isSound, LogJudge } from './judge-log.mjs';

const TOPIC = 'mayfly.credential.events.v1';
const { skey, vkey } = generateNoteKey('log.example/log');
const [signer, verifier] = [parseSigner(skey), parseVerifier(vkey)];

interface Row {
  seq: string;
  leaf: Buffer;
  leaf_hash: Uint8Array;
  topic: string;
  partition: number;
  offset: string;
}
const rowsOf = (offsets: readonly number[]): Row[] =>
  offsets.map((offset, seq) => {
    const leaf = Buffer.from(`entry ${seq}`);
    return {
      ...{ seq: String(seq), leaf, leaf_hash: hasher.leaf(leaf), topic: TOPIC },
      ...{ partition: 0, offset: String(offset) },
    };
  });
const rangeOf = (rows: readonly Row[]) =>
  append(
    hasher,
    EMPTY_RANGE,
    rows.map((row) => row.leaf_hash),
  );
const headOf = (rows: readonly Row[]) => ({
  size: String(rows.length),
  nodes: encodeNodes(rangeOf(rows)),
});
const noteOf = (rows: readonly Row[]) =>
  signCheckpoint({ origin: signer.name, size: BigInt(rows.length), root: rootOf(hasher, rangeOf(rows)) }, [
    signer,
  ]);

const GOOD = rowsOf([0, 1, 2, 3, 4]);
function judged(rows: readonly Row[], { notes = [noteOf(GOOD)], head = headOf(rows), next = 5n } = {}) {
  const judge = new LogJudge(notes, verifier, [TOPIC]);
  judge.take(rows.slice(0, 2));
  judge.take(rows.slice(2));
  return judge.finish([{ topic: TOPIC, partition: 0, next }], head);
}

it('finds nothing in a whole log, nor in one that repeats a head', () => {
  const notes = [noteOf([]), noteOf(GOOD.slice(0, 3)), noteOf(GOOD), noteOf(GOOD)];
  const found = judged(GOOD, { notes });
  expect(found).toEqual({ lost: [], duplicated: [], broken: [] });
  expect(isSound(found)).toBe(true);
});

it('finds a record that has no entry, and one that has two', () => {
  const rows = rowsOf([0, 1, 1, 3, 4]);
  const found = judged(rows, { notes: [] });
  expect(found).toEqual({
    lost: [`no entry of ${TOPIC}/0/2`],
    duplicated: [`${TOPIC}/0/1 is entry 1 and 2`],
    broken: [],
  });
  expect(isSound(found)).toBe(false);
});

it('finds an entry of what is on no topic', () => {
  expect(judged(GOOD, { next: 4n }).duplicated).toEqual(['the log has records that are on no topic']);
});

it('finds a number that is missing, an altered leaf, and another head', () => {
  const gap = GOOD.map((row) => (row.seq === '4' ? { ...row, seq: '5' } : row));
  expect(judged(gap).broken).toEqual(['entry 5 follows a gap']);
  const altered = GOOD.map((row) => (row.seq === '1' ? { ...row, leaf: Buffer.from('x') } : row));
  expect(judged(altered).broken).toEqual(['the hash of entry 1']);
  expect(judged(GOOD, { head: headOf(GOOD.slice(1)) }).broken).toEqual(['the head of size 4']);
});

it('finds a signed head that the rows do not have, and one of more rows than there are', () => {
  const other = rowsOf([0, 1, 2]).map((row) => ({ ...row, leaf_hash: hasher.leaf(Buffer.from('x')) }));
  expect(judged(GOOD, { notes: [noteOf(other), noteOf(GOOD)] }).broken).toEqual(['the checkpoint of size 3']);
  expect(judged(GOOD, { notes: [noteOf(rowsOf([0, 1, 2, 3, 4, 5]))] }).broken).toEqual([
    'a head of 6 was signed, and there are 5 entries',
  ]);
});
