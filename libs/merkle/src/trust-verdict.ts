/** What a trust file says of a checkpoint: who signed it, which witnesses saw it, and whether they are enough. */
import { cosignedAtS } from './cosignature.js';
import { isLogKey, parseCheckpointText, type Checkpoint } from './checkpoint.js';
import { MerkleError } from './errors.js';
import type { NoteVerifier } from './note-key.js';
import { openNote } from './note.js';
import type { Group, TrustPolicy, Witness } from './trust-policy.js';

/** All signatures were verified. */
export interface TrustVerdict {
  checkpoint: Checkpoint;
  /** The log's keys that signed: two while one replaces the other. */
  logKeys: NoteVerifier[];
  /** The policy's witnesses that cosigned, in its order. Nobody looked at a clock: `atS` is what the witness said. */
  cosigned: { witness: Witness; atS: bigint }[];
  quorum: boolean;
}

/**
 * Judges the witnesses without insisting on them. Signatures of keys that are not in the policy count for nothing.
 * @throws MerkleError ERR_NOTE_…, ERR_CHECKPOINT_MALFORMED, ERR_CHECKPOINT_ORIGIN unless a log of the policy signed it as its own.
 */
export function judgeCheckpoint(policy: TrustPolicy, note: string): TrustVerdict {
  const keys = [...policy.logs, ...policy.witnesses].map(({ key }) => key);
  const { text, verified } = openNote(note, keys);
  const checkpoint = parseCheckpointText(text);
  const logKeys = verified.map(({ key }) => key).filter((key) => isLogKey(key, checkpoint.origin));
  if (logKeys.length === 0)
    throw new MerkleError('ERR_CHECKPOINT_ORIGIN', 'not a checkpoint of a log of this policy');
  const cosigned = policy.witnesses.flatMap((witness) => {
    const found = verified.find(({ key }) => key === witness.key);
    return found === undefined ? [] : [{ witness, atS: cosignedAtS(found.signature) }];
  });
  const saw = new Set(cosigned.map(({ witness }) => witness));
  return {
    checkpoint,
    logKeys,
    cosigned,
    quorum: policy.quorum === undefined || hasSeen(policy.quorum, saw),
  };
}

/** As `judgeCheckpoint`. @throws MerkleError all of its refusals, and ERR_TRUST_QUORUM if too few witnesses cosigned. */
export function openCheckpointUnder(policy: TrustPolicy, note: string): TrustVerdict {
  const verdict = judgeCheckpoint(policy, note);
  if (!verdict.quorum)
    throw new MerkleError('ERR_TRUST_QUORUM', 'too few witnesses of the policy cosigned the checkpoint');
  return verdict;
}

/** Groups hold only what was defined before them, so this ends. */
const hasSeen = (each: Witness | Group, saw: ReadonlySet<Witness>): boolean =>
  each.kind === 'witness'
    ? saw.has(each)
    : each.members.filter((member) => hasSeen(member, saw)).length >= each.threshold;
