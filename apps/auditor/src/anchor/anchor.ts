/**
 * Anchors: places outside the database that keep heads of the log, so that whoever administers the database, even with the log's key, cannot
 * take back what was anchored. Each refuses a head that does not extend what it has.
 */
import { parseCheckpointText, type Checkpoint } from '#merkle/checkpoint.js';
import { parseNote } from '#merkle/note.js';

/** A head that the log itself signed: `note`, verbatim. */
export interface Head extends Checkpoint {
  note: string;
}

export interface Anchor {
  /** In metrics, remarks and log lines. From a closed set: the configuration. */
  readonly label: string;
  /**
   * Brings a head there; doing it twice does no harm.
   * @returns undefined once it is there, and known to be in the database.
   * @throws what the database says, LogError where the stored log is not what it must be
   */
  put(head: Head, signal: AbortSignal): Promise<AnchorCode | undefined>;
}

/** Why an anchor lacks a head. */
export type AnchorCode =
  | 'ERR_ANCHOR_AWAY'
  | 'ERR_ANCHOR_UNOFFERED'
  | 'ERR_ANCHOR_LOG_UNKNOWN'
  | 'ERR_ANCHOR_KEY_UNKNOWN'
  | 'ERR_ANCHOR_ANSWER_INVALID'
  | 'ERR_ANCHOR_COSIGNATURE_INVALID'
  | 'ERR_ANCHOR_AHEAD'
  | 'ERR_ANCHOR_CONTRADICTED';

/** Whether the anchor says that the log is not the one that it was: rolled back, or written anew. */
export const CONTRADICTS: Readonly<Record<AnchorCode, boolean>> = {
  ERR_ANCHOR_AWAY: false,
  ERR_ANCHOR_UNOFFERED: false,
  ERR_ANCHOR_LOG_UNKNOWN: false,
  ERR_ANCHOR_KEY_UNKNOWN: false,
  ERR_ANCHOR_ANSWER_INVALID: false,
  ERR_ANCHOR_COSIGNATURE_INVALID: false,
  ERR_ANCHOR_AHEAD: true,
  ERR_ANCHOR_CONTRADICTED: true,
};

/** What a note says; its signature is not verified. @throws MerkleError ERR_NOTE_MALFORMED, ERR_CHECKPOINT_MALFORMED */
export const headOf = (note: string): Head => ({ ...parseCheckpointText(parseNote(note).text), note });
