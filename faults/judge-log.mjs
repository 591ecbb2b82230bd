/**
 * What must be true of a log whatever happened to who wrote it: numbers without a gap, each hash that of its bytes, each record of the topics
 * once, and every head that was ever signed the root of the rows below it. Pure: rows and notes in, findings out.
 */
import { openCheckpoint } from '#merkle/checkpoint.js';
import { append, EMPTY_RANGE, encodeNodes, rootOf } from '#merkle/compact-range.js';
import { sameHash } from '#merkle/hash.js';
import { hasher } from '#merkle/node/hasher.js';
import { placeOf } from './records.mjs';

export class LogJudge {
  #range = EMPTY_RANGE;
  #seen = new Map();
  #heads;
  found = { lost: [], duplicated: [], broken: [] };

  /** @param notes of all checkpoints @param verifier of the log's key @param topics whose records belong in the log */
  constructor(notes, verifier, topics) {
    this.topics = topics;
    this.#heads = notes
      .map((note) => openCheckpoint(note, verifier.name, [verifier]))
      .sort((a, b) => Number(a.size - b.size));
  }

  /** The next rows of the log, in its order. */
  take(rows) {
    for (const row of rows) {
      this.#compare();
      if (BigInt(row.seq) !== this.#range.size) this.found.broken.push(`entry ${row.seq} follows a gap`);
      if (!sameHash(row.leaf_hash, hasher.leaf(row.leaf)))
        this.found.broken.push(`the hash of entry ${row.seq}`);
      this.#range = append(hasher, this.#range, [row.leaf_hash]);
      if (!this.topics.includes(row.topic)) continue;
      const place = placeOf(row);
      if (this.#seen.has(place))
        this.found.duplicated.push(`${place} is entry ${this.#seen.get(place)} and ${row.seq}`);
      this.#seen.set(place, row.seq);
    }
  }

  /**
   * @param ends where the topics end: `{ topic, partition, next }`, and nothing before was deleted @param head the stored one
   * @returns what was found
   */
  finish(ends, head) {
    this.#compare();
    for (const { size } of this.#heads)
      this.found.broken.push(`a head of ${size} was signed, and there are ${this.#range.size} entries`);
    if (BigInt(head.size) !== this.#range.size || !sameHash(encodeNodes(this.#range), head.nodes))
      this.found.broken.push(`the head of size ${head.size}`);
    let wanted = 0;
    for (const { topic, partition, next } of ends)
      for (let offset = 0n; offset < next; offset += 1n) {
        wanted += 1;
        const place = placeOf({ topic, partition, offset });
        if (!this.#seen.has(place)) this.found.lost.push(`no entry of ${place}`);
      }
    if (this.#seen.size > wanted - this.found.lost.length)
      this.found.duplicated.push('the log has records that are on no topic');
    return this.found;
  }

  #compare() {
    while (this.#heads[0]?.size === this.#range.size) {
      const { root, size } = this.#heads.shift();
      if (!sameHash(root, rootOf(hasher, this.#range)))
        this.found.broken.push(`the checkpoint of size ${size}`);
    }
  }
}

export const isSound = (found) => Object.values(found).every((list) => list.length === 0);
