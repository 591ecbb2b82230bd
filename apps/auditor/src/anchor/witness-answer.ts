/** What a witness answered to `add-checkpoint` (C2SP tlog-witness v1.0.0), judged: all of it is hostile. */
import { withCosignatures } from '#merkle/add-checkpoint.js';
import { fromDecimal } from '#merkle/base64.js';
import { cosignedAtS } from '#merkle/cosignature.js';
import { MerkleError } from '#merkle/errors.js';
import { parseSignatures } from '#merkle/note.js';
import type { NoteVerifier } from '#merkle/note-key.js';
import type { AnchorCode, Head } from './anchor.js';

export interface WitnessAnswer {
  status: number;
  /** As far as it is text of a bearable length. */
  body: string;
}

/** Verified: it is of this head and of the witness's key. */
export interface Cosignature {
  /** Its line in the note. */
  line: string;
  /** When, as the witness says. */
  atS: bigint;
}

export type Judged =
  | { is: 'cosigned'; cosignature: Cosignature }
  /** It cosigned another size last: ask again from there. */
  | { is: 'stands'; at: bigint }
  | { is: 'missed'; code: AnchorCode };

/** What was asked, and of whom. */
export interface Asked {
  oldSize: bigint;
  head: Head;
  key: NoteVerifier;
}

export function judgeAnswer({ status, body }: WitnessAnswer, asked: Asked): Judged {
  switch (status) {
    case 200:
      return judgeCosignature(body, asked);
    case 409:
      return judgeSize(body, asked);
    case 422:
      return missed('ERR_ANCHOR_CONTRADICTED');
    case 403:
      return missed('ERR_ANCHOR_KEY_UNKNOWN');
    case 404:
      return missed('ERR_ANCHOR_LOG_UNKNOWN');
    default:
      return missed(mayComeBack(status) ? 'ERR_ANCHOR_AWAY' : 'ERR_ANCHOR_ANSWER_INVALID');
  }
}

function judgeCosignature(body: string, { head, key }: Asked): Judged {
  try {
    const line = withCosignatures(head.note, body, [key]).slice(head.note.length);
    const [signature] = parseSignatures(line);
    if (signature === undefined) return missed('ERR_ANCHOR_ANSWER_INVALID');
    return { is: 'cosigned', cosignature: { line, atS: cosignedAtS(signature.signature) } };
  } catch (error) {
    if (!(error instanceof MerkleError)) throw error;
    const isNone = error.code === 'ERR_NOTE_MALFORMED';
    return missed(isNone ? 'ERR_ANCHOR_ANSWER_INVALID' : 'ERR_ANCHOR_COSIGNATURE_INVALID');
  }
}

/** It stands at another size than it was asked from, or has another tree of this size, or more than there is. */
function judgeSize(body: string, { oldSize, head }: Asked): Judged {
  const at = fromDecimal(body.replace(/\n$/, ''));
  if (at === undefined) return missed('ERR_ANCHOR_ANSWER_INVALID');
  if (at > head.size) return missed('ERR_ANCHOR_AHEAD');
  if (at !== oldSize) return { is: 'stands', at };
  return missed(at === head.size ? 'ERR_ANCHOR_CONTRADICTED' : 'ERR_ANCHOR_ANSWER_INVALID');
}

const mayComeBack = (status: number): boolean => status === 408 || status === 429 || status >= 500;

const missed = (code: AnchorCode): Judged => ({ is: 'missed', code });
