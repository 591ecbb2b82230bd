import { hasher } from '../node/hasher.js';
import { generateNoteKey, parseSigner, parseVerifier } from '../node/keys.js';
import { nodeReader } from '../spec/leaves.js';
import { leafHashes, logKey, logSigner, noteAt, ORIGIN, rootAt, textAt } from '../spec/sample-log.js';
import type { AddCheckpoint } from './add-checkpoint.js';
import type { Hash } from './hash.js';
import { signNote } from './note.js';
import { proveConsistency } from './proof.js';
import { judgeAddCheckpoint, type WatchedLog } from './witness-verdict.js';

const read = nodeReader(leafHashes);
const verifiers = [parseVerifier(logKey.vkey)];
const request = (from: number, to: number, proof?: readonly Hash[]): AddCheckpoint => ({
  oldSize: BigInt(from),
  proof: proof ?? proveConsistency(hasher, BigInt(from), BigInt(to), read),
  checkpoint: noteAt(to),
});
/** A witness that cosigned this size last, or none. */
const judge = (asked: AddCheckpoint, latest?: number, root?: Hash) => {
  const seen = latest === undefined ? {} : { latest: { size: BigInt(latest), root: root ?? rootAt(latest) } };
  const log: WatchedLog = { origin: ORIGIN, verifiers, ...seen };
  return judgeAddCheckpoint(hasher, asked, (origin) => (origin === ORIGIN ? log : undefined));
};

it('cosigns the first checkpoint that it sees of a log', () => {
  expect(judge(request(0, 8))).toMatchObject({ status: 200, checkpoint: { size: 8n }, text: textAt(8) });
});

it('cosigns what is consistent with all that it cosigned before, from any size to any', () => {
  for (let to = 0; to <= 8; to += 1)
    for (let from = 0; from <= to; from += 1)
      expect(judge(request(from, to), from)).toMatchObject({ status: 200, text: textAt(to) });
});

it('tells which size it cosigned last when the log thinks otherwise', () => {
  expect(judge(request(3, 8), 5)).toEqual({ status: 409, latestSize: 5n });
  expect(judge(request(0, 8), 5)).toEqual({ status: 409, latestSize: 5n });
  expect(judge(request(3, 8))).toEqual({ status: 409, latestSize: 0n });
});

it('cosigns no other tree of a size that it cosigned', () => {
  expect(judge(request(8, 8), 8, rootAt(7))).toEqual({ status: 409, latestSize: 8n });
});

it('cosigns nothing that does not extend what it cosigned', () => {
  expect(judge(request(5, 8), 5, rootAt(4))).toEqual({ status: 422 });
  expect(judge(request(5, 8, []), 5)).toEqual({ status: 422 });
  expect(judge(request(0, 8, [rootAt(8)]))).toEqual({ status: 422 });
  expect(judge(request(0, 8, [rootAt(8)]), 0)).toEqual({ status: 422 });
});

it('refuses an old size above the new one, and what is no checkpoint', () => {
  expect(judge({ ...request(0, 3), oldSize: 5n }, 5)).toEqual({ status: 400 });
  for (const checkpoint of ['', 'hello\n', signNote('hello\n', [logSigner])])
    expect(judge({ ...request(0, 3), checkpoint })).toEqual({ status: 400 });
});

it('refuses a log that nobody watches, and a key that is not its own', () => {
  const stranger = parseSigner(generateNoteKey('other.example').skey);
  const foreign = signNote(textAt(3).replace(ORIGIN, 'other.example'), [stranger]);
  expect(judge({ ...request(0, 3), checkpoint: foreign })).toEqual({ status: 404 });
  const forged = signNote(textAt(3), [parseSigner(generateNoteKey(ORIGIN).skey)]);
  expect(judge({ ...request(0, 3), checkpoint: forged })).toEqual({ status: 403 });
});
