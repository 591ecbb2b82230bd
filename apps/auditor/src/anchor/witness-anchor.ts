/** A witness of another trust domain as an anchor: it cosigns the head, or says that the log is not the one it knows. */
import { formatAddCheckpoint } from '#merkle/add-checkpoint.js';
import { parseWitness } from '#merkle/node/keys.js';
import type { NoteVerifier } from '#merkle/note-key.js';
import { unreachable } from '#events/unreachable.js';
import type { Database } from '#store/database.js';
import { readConsistencyProof } from '../log/nodes.js';
import type { Anchor, AnchorCode, Head } from './anchor.js';
import { readReached, recordCosignature } from './anchor-rows.js';
import { askWitness } from './ask-witness.js';
import { judgeAnswer } from './witness-answer.js';

/** Once from where it was thought to be, once from where it says it is, and once more if it was asked by others meanwhile. */
const MAX_ASKED = 3;

export interface WitnessSettings {
  name: string;
  /** Submission prefix. */
  url: string;
  vkey: string;
}

export interface WitnessAnchorParts {
  db: Database;
  warn: (fields: object, message: string) => void;
  withinMs?: number;
}

export class WitnessAnchor implements Anchor {
  readonly label: string;
  readonly #key: NoteVerifier;
  /** A witness with another key is another one, whatever it is called. */
  readonly #id: string;

  /** @throws MerkleError ERR_NOTE_KEY_INVALID */
  constructor(
    private readonly parts: WitnessAnchorParts,
    private readonly settings: WitnessSettings,
  ) {
    this.label = `witness ${settings.name}`;
    this.#key = parseWitness(settings.vkey);
    this.#id = `${this.#key.name}+${this.#key.keyId.toString(16).padStart(8, '0')}`;
  }

  async put(head: Head, signal: AbortSignal): Promise<AnchorCode | undefined> {
    const { db, warn, withinMs } = this.parts;
    const known = await readReached(db.pool, this.#id);
    // A log that was rolled back asks from where it is: the witness then says how far it was.
    let oldSize = known < head.size ? known : head.size;
    for (let asked = 0; asked < MAX_ASKED; asked += 1) {
      const proof = await readConsistencyProof(db.pool, oldSize, head.size);
      const request = formatAddCheckpoint({ oldSize, proof, checkpoint: head.note });
      const answer = await askWitness(this.settings.url, request, signal, withinMs);
      if (answer === undefined) return 'ERR_ANCHOR_AWAY';
      const judged = judgeAnswer(answer, { oldSize, head, key: this.#key });
      switch (judged.is) {
        case 'cosigned':
          await recordCosignature(db, this.#id, head.size, judged.cosignature);
          return undefined;
        case 'missed':
          return judged.code;
        case 'stands':
          if (judged.at < oldSize) warn({ anchor: this.label }, 'a witness forgot what it had cosigned');
          oldSize = judged.at;
          break;
        default:
          unreachable(judged);
      }
    }
    return 'ERR_ANCHOR_ANSWER_INVALID';
  }
}
