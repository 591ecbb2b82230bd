/**
 * A log of any length in minutes: the entries of a real task, again under other ids and at other times, two hundred tasks side by side, with rows, tiles,
 * head and a signed checkpoint as an auditor writes them. Nothing is verified, and there are no payloads.
 */
import { v7 as uuidv7 } from 'uuid';
import { pack } from '../dist/libs/store/src/pack.js';
import { signCheckpoint } from '../dist/libs/merkle/src/checkpoint.js';
import { append, EMPTY_RANGE, encodeNodes, rootOf } from '../dist/libs/merkle/src/compact-range.js';
import { perfectRoot, TILE_WIDTH } from '../dist/libs/merkle/src/tile.js';
import { hasher } from '../dist/libs/merkle/node/hasher.js';

const SIDE_BY_SIDE = 200;
const ROWS_AT_ONCE = 4_000;
/** Between two entries: a million are a day. */
const APART_MS = 90;
/** One in so many says that somebody has standing access. */
const RARE = 50_000;
const CHANGING =
  /([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|"offset":"\d+")/;

/** @returns {Promise<{ taskIds: string[], beganMs: number, endedMs: number }>} some of the tasks, and when the first and the last entry came in */
export async function fillLog(db, { templates, entries, signer }) {
  const log = new Filler(db, templates, Date.now() - entries * APART_MS);
  for (let done = 0; done < entries; done = log.size) await log.write(Math.min(ROWS_AT_ONCE, entries - done));
  await log.sign(signer);
  return { taskIds: log.taskIds, beganMs: log.beganMs, endedMs: log.atMs };
}

/** The entries of one task, in order, as they stand in a log. */
export async function readTemplates(database, taskId) {
  const { rows } = await database.query(
    `SELECT leaf, topic, partition, type, task_id AS "taskId", appended_at_ms::float8 AS "atMs"
       FROM audit.entry WHERE task_id = $1 AND admitted ORDER BY seq`,
    [taskId],
  );
  const slots = new Map();
  return {
    slots,
    startMs: Math.min(...rows.map(({ atMs }) => atMs)),
    entries: rows.map((row) => ({ ...row, parts: cut(String(row.leaf), slots) })),
  };
}

/** Texts stay, ids and times become numbers of slots; the offset is `null`. */
function cut(text, slots) {
  return text.split(CHANGING).map((part, n) => {
    if (n % 2 === 0) return part;
    if (part.startsWith('"offset"')) return null;
    if (!slots.has(part)) slots.set(part, slots.size);
    return slots.get(part);
  });
}

class Filler {
  size = 0;
  taskIds = [];
  #range = EMPTY_RANGE;
  /** By level: the hashes of the tile that is not full yet, and how many are. */
  #filling = [];
  #full = [];
  /** Full, and not stored yet. */
  #tiles = [];
  #rows;

  constructor(db, templates, beganMs) {
    this.db = db;
    this.templates = templates;
    this.beganMs = beganMs;
    this.#rows = this.#endless();
  }

  get atMs() {
    return this.beganMs + this.size * APART_MS;
  }

  async write(count) {
    const first = this.size;
    const rows = Array.from({ length: count }, () => {
      const row = this.#rows.next().value;
      this.size += 1;
      return row;
    });
    const hashes = rows.map(({ leaf }) => hasher.leaf(leaf));
    this.#range = append(hasher, this.#range, hashes);
    for (const hash of hashes) this.#tile(0, hash);
    await this.#insert(first, rows, hashes);
  }

  async sign(signer) {
    const checkpoint = { origin: signer.name, size: BigInt(this.size), root: rootOf(hasher, this.#range) };
    await this.db.pool.query('INSERT INTO checkpoint (size, note) VALUES ($1, $2)', [
      this.size,
      signCheckpoint(checkpoint, [signer]),
    ]);
  }

  *#endless() {
    for (;;) {
      const tasks = Array.from({ length: SIDE_BY_SIDE }, () => this.#slotsOfTask());
      this.taskIds.push(tasks[0].taskId);
      for (const entry of this.templates.entries)
        for (const { filled, taskId } of tasks) {
          if (this.size % RARE === RARE - 1) yield standingAccess(this.size, this.atMs);
          yield this.#row(entry, filled, taskId);
        }
    }
  }

  #slotsOfTask() {
    const { slots, startMs, entries } = this.templates;
    const nowMs = this.atMs;
    const filled = [...slots.keys()].map((text) =>
      text.endsWith('Z') ? new Date(nowMs + Date.parse(text) - startMs).toISOString() : uuidv7(),
    );
    return { filled, taskId: filled[slots.get(entries[0].taskId)] };
  }

  #row({ parts, topic, partition, type }, filled, taskId) {
    let text = '';
    for (const part of parts)
      text += part === null ? `"offset":"${this.size}"` : typeof part === 'number' ? filled[part] : part;
    const eventId = /"id":"([0-9a-f-]{36})","(?:key|offset)"/.exec(text)?.[1] ?? null;
    return { leaf: Buffer.from(text), topic, partition, type, taskId, eventId, atMs: this.atMs };
  }

  #tile(level, hash) {
    const hashes = (this.#filling[level] ??= []);
    hashes.push(hash);
    if (hashes.length < TILE_WIDTH) return;
    const index = this.#full[level] ?? 0;
    this.#full[level] = index + 1;
    this.#filling[level] = [];
    const root = perfectRoot(hasher, hashes);
    this.#tiles.push({ level, index, hashes: Buffer.concat(hashes), root });
    this.#tile(level + 1, root);
  }

  async #insert(first, rows, hashes) {
    const leaves = pack(rows.map(({ leaf }) => leaf));
    const tiles = this.#tiles.splice(0);
    const { pool } = this.db;
    await pool.query({
      name: 'fill-entries',
      text: `INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted, type, task_id, event_id, ingested_at)
        SELECT $1::bigint + n - 1, substr($2::bytea, 32 * (n::int - 1) + 1, 32), substr($3::bytea, leaf_from, leaf_bytes),
               topic, partition, $1::bigint + n - 1, at_ms, true, type, task_id, event_id, to_timestamp(at_ms / 1000.0)
          FROM unnest($4::int[], $5::int[], $6::text[], $7::int[], $8::bigint[], $9::text[], $10::text[], $11::text[])
               WITH ORDINALITY AS e(leaf_from, leaf_bytes, topic, partition, at_ms, type, task_id, event_id, n)`,
      values: [
        ...[first, Buffer.concat(hashes), leaves.bytes, leaves.from, leaves.lengths],
        ...['topic', 'partition', 'atMs', 'type', 'taskId', 'eventId'].map((name) =>
          rows.map((row) => row[name]),
        ),
      ],
    });
    for (const { level, index, hashes: bytes, root } of tiles)
      await pool.query('INSERT INTO tile (level, idx, hashes, root) VALUES ($1, $2, $3, $4)', [
        level,
        index,
        bytes,
        root,
      ]);
    await pool.query('UPDATE tree_head SET size = $1, nodes = $2', [this.size, encodeNodes(this.#range)]);
    // Where entries are in partitions, the next ones are made ahead.
    await pool.query(
      "DO $$ BEGIN IF to_regproc('add_partitions') IS NOT NULL THEN PERFORM add_partitions(); END IF; END $$",
    );
  }
}

function standingAccess(seq, atMs) {
  const leaf = {
    appendedAt: new Date(atMs).toISOString(),
    authenticated: true,
    event: { principal: 'person:0', provider: 'postgres', target: 'crm' },
    id: uuidv7(),
    offset: String(seq),
    partition: 0,
    service: 'revoker',
    topic: 'mayfly.credential.events.v1',
    type: 'standing_access.found',
    v: 1,
    valueBytes: 400,
  };
  return {
    ...{ leaf: Buffer.from(JSON.stringify(leaf)), topic: leaf.topic, partition: 0, type: leaf.type },
    ...{ taskId: null, eventId: leaf.id, atMs },
  };
}
