/** The auditor's log, checked from its tables: each record once, numbers without a gap, and the tree recomputed leaf by leaf. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { openCheckpoint } from '#merkle/checkpoint.js';
import { append, EMPTY_RANGE, encodeNodes, rootOf } from '#merkle/compact-range.js';
import { sameHash } from '#merkle/hash.js';
import { hasher } from '#merkle/node/hasher.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { placeOf, TOPICS } from './records.mjs';

export class LogWatch {
  #pool;
  #verifier;
  #rig;
  #range = EMPTY_RANGE;
  #seen = new Set();

  static async open(rig) {
    const { urls, stateDir } = rig;
    const watch = new LogWatch();
    watch.#rig = rig;
    watch.#verifier = parseVerifier(readFileSync(join(stateDir, 'keys', 'log-signer.vkey'), 'utf8').trim());
    // The server may be restarted between two looks.
    watch.#pool = new pg.Pool({ connectionString: urls.database, max: 1 });
    watch.#pool.on('error', () => {});
    return watch;
  }

  /** Places of the records that have an entry. */
  get places() {
    return this.#seen;
  }

  /** Reads what is new. @returns {Promise<{ duplicated: string[], broken: string[] }>} places of records with two entries; what does not verify */
  async read() {
    const found = { duplicated: [], broken: [] };
    const note = await this.#checkpoint();
    const { rows, head } = await this.#tables();
    const signed = note === null ? null : openCheckpoint(note, this.#verifier.name, [this.#verifier]);
    for (const row of rows) {
      if (signed?.size === this.#range.size) this.#compare(signed, found);
      if (BigInt(row.seq) !== this.#range.size) found.broken.push(`entry ${row.seq} follows a gap`);
      if (!sameHash(row.leaf_hash, hasher.leaf(row.leaf))) found.broken.push(`the hash of entry ${row.seq}`);
      this.#range = append(hasher, this.#range, [row.leaf_hash]);
      if (!TOPICS.includes(row.topic)) continue;
      const place = placeOf(row);
      if (this.#seen.has(place)) found.duplicated.push(place);
      this.#seen.add(place);
    }
    if (signed?.size === this.#range.size) this.#compare(signed, found);
    if (BigInt(head.size) !== this.#range.size || !sameHash(encodeNodes(this.#range), head.nodes))
      found.broken.push(`the head of size ${head.size}`);
    return found;
  }

  /** How many entries there are. */
  get size() {
    return this.#range.size;
  }

  async close() {
    await this.#pool.end();
  }

  async #tables() {
    const client = await this.#pool.connect();
    try {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      const { rows } = await client.query(
        `SELECT seq, leaf, leaf_hash, topic, partition, bus_offset AS "offset" FROM audit.entry WHERE seq >= $1 ORDER BY seq`,
        [String(this.#range.size)],
      );
      const heads = await client.query('SELECT size, nodes FROM audit.tree_head');
      await client.query('COMMIT');
      return { rows, head: heads.rows[0] };
    } finally {
      client.release();
    }
  }

  #compare(signed, found) {
    if (!sameHash(signed.root, rootOf(hasher, this.#range)))
      found.broken.push(`the checkpoint of size ${signed.size}`);
  }

  /** null while the auditor is down, or has signed none. */
  async #checkpoint() {
    try {
      const response = await fetch(`${this.#rig.addresses.auditor}/log/checkpoint`, {
        signal: AbortSignal.timeout(2_000),
      });
      return response.ok ? await response.text() : null;
    } catch {
      return null;
    }
  }
}
