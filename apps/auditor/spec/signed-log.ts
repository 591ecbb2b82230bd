/** A log of entries of any bytes, signed: what they say does not matter to the tree. */
import { hasher } from '#merkle/node/hasher.js';
import type { NoteSigner } from '#merkle/note-key.js';
import { transact } from '#store/database.js';
import { headOf, type Head } from '../src/anchor/anchor.js';
import { appendEntries, type NewEntry } from '../src/log/append.js';
import { signHead } from '../src/signer/sign-head.js';
import { freshLogDatabase, type LogDatabase } from './log-database.js';

export class SignedLog {
  #size = 0;

  private constructor(
    readonly database: LogDatabase,
    private readonly signer: NoteSigner,
  ) {}

  static async open(signer: NoteSigner): Promise<SignedLog> {
    return new SignedLog(await freshLogDatabase(), signer);
  }

  /** @param history two logs have the same entries as long as they have the same one */
  async grow(count: number, history = 'true'): Promise<Head> {
    const fresh = Array.from({ length: count }, (_, i): NewEntry => {
      const seq = this.#size + i;
      const leaf = Buffer.from(`{"${history}":${seq}}`);
      const payload = { recordKey: null, headers: null, value: null };
      const names = { admitted: true, type: null, taskId: null, eventId: null };
      const record = { topic: 'any', partition: 0, offset: BigInt(seq), appendedAtMs: 0 };
      const entry = { leaf, leafHash: hasher.leaf(leaf), ...names, payload, entryKey: Buffer.alloc(32) };
      return { record, entry };
    });
    await transact(this.database.runtime, (tx) => appendEntries(tx, fresh));
    this.#size += count;
    return await this.sign();
  }

  async sign(): Promise<Head> {
    const signed = await signHead(this.database.signer, [this.signer], 0);
    if (signed === undefined) throw new Error('nothing was signed');
    return headOf(signed.note);
  }

  drop(): Promise<void> {
    return this.database.drop();
  }
}
