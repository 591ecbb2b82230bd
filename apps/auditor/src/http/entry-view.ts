/** Entries as the API shows them. Hashes and bytes are base64; `seq` stays below 2^53. */
import { toBase64 } from '#merkle/base64.js';
import {
  envelopeOf,
  openCommitments,
  type Envelope,
  type KeptPayload,
  type StoredEntry,
} from '../log/entries.js';

export interface EntryView {
  seq: number;
  /** The exact bytes that are hashed; `envelope` is what they say. */
  leaf: string;
  leafHash: string;
  envelope: Envelope;
}

export const entryView = ({ seq, leaf, leafHash }: StoredEntry): EntryView => ({
  seq: Number(seq),
  leaf: toBase64(leaf),
  leafHash: toBase64(leafHash),
  envelope: envelopeOf(leaf),
});

export interface EntryDetail extends EntryView {
  /** `erased`: the commitments of this entry can no longer be opened. */
  payload: 'kept' | 'erased';
  /** Values behind commitments, by JSON pointer into the event, each checked against its commitment. */
  opened: Record<string, unknown>;
}

export function entryDetail(entry: StoredEntry, payload: KeptPayload | undefined): EntryDetail {
  const view = entryView(entry);
  return {
    ...view,
    payload: payload === undefined ? 'erased' : 'kept',
    opened: payload === undefined ? {} : Object.fromEntries(openCommitments(view.envelope, payload)),
  };
}
