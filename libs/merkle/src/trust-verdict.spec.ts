import { generateNoteKey, parseTrustPolicy, parseSigner } from '../node/keys.js';
import { refusal } from '../spec/refusal.js';
import {
  AT_S,
  cosigned,
  cosigners,
  logKey,
  logSigner,
  noteAt,
  ORIGIN,
  textAt,
  witnessKeys,
} from '../spec/sample-log.js';
import { signatureLine, signNote } from './note.js';
import { judgeCheckpoint, openCheckpointUnder } from './trust-verdict.js';

const [w1 = '', w2 = ''] = witnessKeys.map(({ vkey }) => vkey);
const base = `log ${logKey.vkey}\nwitness one ${w1}\nwitness two ${w2}\n`;
const policy = (quorum: string) => parseTrustPolicy(`${base}${quorum}\n`);
const both = policy('group both all one two\nquorum both');
const quorumOf = (lines: string, ...by: number[]): boolean =>
  judgeCheckpoint(policy(lines), cosigned(...by)).quorum;

it('tells who signed, which witnesses saw it and when, and that they are enough', () => {
  const { checkpoint, logKeys, cosigned: seen, quorum } = openCheckpointUnder(both, cosigned(1, 0));
  expect(checkpoint).toMatchObject({ origin: ORIGIN, size: 8n });
  expect(logKeys.map(({ name }) => name)).toEqual([ORIGIN]);
  expect(seen.map(({ witness, atS }) => [witness.name, atS])).toEqual([
    ['one', AT_S],
    ['two', AT_S],
  ]);
  expect(quorum).toBe(true);
});

it('refuses a checkpoint that too few witnesses saw, and judges it all the same', () => {
  expect(() => openCheckpointUnder(both, cosigned(0))).toThrow(refusal('ERR_TRUST_QUORUM'));
  const { cosigned: seen, quorum } = judgeCheckpoint(both, cosigned(0));
  expect(seen.map(({ witness }) => witness.name)).toEqual(['one']);
  expect(quorum).toBe(false);
});

it('counts members as each group says', () => {
  expect(quorumOf('quorum none')).toBe(true);
  expect([quorumOf('quorum two', 0), quorumOf('quorum two', 1)]).toEqual([false, true]);
  const any = 'group g any one two\nquorum g';
  expect([quorumOf(any), quorumOf(any, 0), quorumOf(any, 1)]).toEqual([false, true, true]);
  const two = 'group g 2 one two\nquorum g';
  expect([quorumOf(two, 0), quorumOf(two, 0, 1)]).toEqual([false, true]);
  const nested = 'group inner any one\ngroup g all inner two\nquorum g';
  expect([quorumOf(nested, 0), quorumOf(nested, 1), quorumOf(nested, 0, 1)]).toEqual([false, false, true]);
});

it('counts a witness once, however often it cosigned', () => {
  const again = cosigners[0]!.cosign(textAt(8), AT_S + 60n);
  expect(judgeCheckpoint(both, cosigned(0) + again).quorum).toBe(false);
});

it('counts no cosignature of another checkpoint', () => {
  const moved = noteAt(8) + cosigners[0]!.cosign(textAt(7), AT_S);
  expect(() => judgeCheckpoint(both, moved)).toThrow(refusal('ERR_NOTE_SIGNATURE_INVALID'));
});

it('refuses the whole note when a known witness did not make its line, though the quorum is there without it', () => {
  const { name, keyId } = cosigners[1]!;
  const note = cosigned(0) + signatureLine(name, keyId, new Uint8Array(72));
  expect(() => openCheckpointUnder(policy('quorum one'), note)).toThrow(
    refusal('ERR_NOTE_SIGNATURE_INVALID'),
  );
});

it('ignores witnesses and signature types that it does not know', () => {
  const known = parseTrustPolicy(`log ${logKey.vkey}\nwitness one ${w1}\nquorum one\n`);
  const note = cosigned(0, 1) + signatureLine('pq.example', 7, new Uint8Array(8 + 2_420));
  expect(openCheckpointUnder(known, note).cosigned).toHaveLength(1);
});

it('opens with either key while a log changes its key, and names both to those who know both', () => {
  const next = generateNoteKey(ORIGIN);
  const note = signNote(textAt(8), [logSigner, parseSigner(next.skey)]);
  for (const vkey of [logKey.vkey, next.vkey])
    expect(openCheckpointUnder(parseTrustPolicy(`log ${vkey}\nquorum none\n`), note).logKeys).toHaveLength(1);
  const changing = parseTrustPolicy(`log ${logKey.vkey}\nlog ${next.vkey}\nquorum none\n`);
  expect(openCheckpointUnder(changing, note).logKeys).toHaveLength(2);
});

it('refuses what no log of the policy signed as its own', () => {
  const onlyWitnesses = `${textAt(8)}\n${cosigners.map((each) => each.cosign(textAt(8), AT_S)).join('')}`;
  expect(() => openCheckpointUnder(both, onlyWitnesses)).toThrow(refusal('ERR_CHECKPOINT_ORIGIN'));
  const stranger = generateNoteKey('other.example/log');
  const strangers = parseTrustPolicy(`log ${stranger.vkey}\nquorum none\n`);
  expect(() => openCheckpointUnder(strangers, noteAt(8))).toThrow(refusal('ERR_NOTE_UNTRUSTED'));
  const asAnother = signNote(textAt(8), [parseSigner(stranger.skey)]);
  expect(() => openCheckpointUnder(strangers, asAnother)).toThrow(refusal('ERR_CHECKPOINT_ORIGIN'));
  expect(() => openCheckpointUnder(parseTrustPolicy('quorum none\n'), noteAt(8))).toThrow(
    refusal('ERR_NOTE_UNTRUSTED'),
  );
});
