/** A folder of checkpoints as an anchor: it takes a head only if that extends the newest one in it, as a witness would. */
import { MerkleError } from '#merkle/errors.js';
import { sameHash } from '#merkle/hash.js';
import { hasher } from '#merkle/node/hasher.js';
import { verifyConsistency } from '#merkle/verify.js';
import type { Database } from '#store/database.js';
import { readConsistencyProof } from '../log/nodes.js';
import type { Anchor, AnchorCode, Head } from './anchor.js';
import { recordReached } from './anchor-rows.js';
import { addCheckpoint, newestCheckpoint, removeLeftovers } from './checkpoint-files.js';

export interface FileAnchorParts {
  db: Database;
  warn: (fields: object, message: string) => void;
}

export class FileAnchor implements Anchor {
  readonly label = 'files';
  /** The newest in the folder, once it was looked at; nobody else adds to it. */
  #kept: { head: Head | undefined } | undefined;

  constructor(
    private readonly parts: FileAnchorParts,
    private readonly folder: string,
  ) {}

  async put(head: Head): Promise<AnchorCode | undefined> {
    return (
      (await this.#onDisk(() => this.#look())) ??
      (await this.#judge(head)) ??
      (await this.#onDisk(() => this.#add(head))) ??
      (await this.#record(head))
    );
  }

  async #look(): Promise<void> {
    if (this.#kept !== undefined) return;
    const head = await newestCheckpoint(this.folder);
    await removeLeftovers(this.folder);
    this.#kept = { head };
  }

  async #add(head: Head): Promise<void> {
    if (this.#kept?.head?.size !== head.size) await addCheckpoint(this.folder, head);
    this.#kept = { head };
  }

  async #record({ size }: Head): Promise<undefined> {
    await recordReached(this.parts.db.pool, this.label, size);
  }

  async #onDisk(work: () => Promise<void>): Promise<AnchorCode | undefined> {
    try {
      await work();
      return undefined;
    } catch (error) {
      // Whatever is there now is looked at again.
      this.#kept = undefined;
      if (error instanceof MerkleError) return 'ERR_ANCHOR_ANSWER_INVALID';
      const { code } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      this.parts.warn({ anchor: this.label, reason: code }, 'checkpoints cannot be kept in files');
      return 'ERR_ANCHOR_AWAY';
    }
  }

  async #judge(head: Head): Promise<AnchorCode | undefined> {
    const kept = this.#kept?.head;
    if (kept === undefined) return undefined;
    if (kept.origin !== head.origin) return 'ERR_ANCHOR_LOG_UNKNOWN';
    if (kept.size > head.size) return 'ERR_ANCHOR_AHEAD';
    const isExtended =
      kept.size === head.size ? sameHash(kept.root, head.root) : await this.#extends(kept, head);
    return isExtended ? undefined : 'ERR_ANCHOR_CONTRADICTED';
  }

  /** Every log extends the empty one, for which no proof exists. */
  async #extends(kept: Head, head: Head): Promise<boolean> {
    if (kept.size === 0n) return true;
    const proof = await readConsistencyProof(this.parts.db.pool, kept.size, head.size);
    const claim = { size1: kept.size, size2: head.size, root1: kept.root, root2: head.root, proof };
    return verifyConsistency(hasher, claim).ok;
  }
}
