/**
 * Appending to the log: entries, payloads, full tiles and the new head, in the caller's transaction, next to the consumer's
 * position. The head's row is the one lock: sequence numbers are dense and in the order of commit.
 */
import { append, decodeNodes, encodeNodes, type CompactRange } from '#merkle/compact-range.js';
import { HASH_BYTES } from '#merkle/hash.js';
import { hasher } from '#merkle/node/hasher.js';
import { perfectRoot, TILE_WIDTH, tilesCompleted, type TileId } from '#merkle/tile.js';
import type { Tx } from '#store/database.js';
import { pack } from '#store/pack.js';
import type { BusRecord } from '#bus/bus.js';
import type { Entry } from '../leaf/entry.js';
import { ENTRY_KEY_BYTES } from '../leaf/keys.js';
import { LogError } from './log-error.js';
import { readTileRows } from './tile-rows.js';

export interface NewEntry {
  record: Pick<BusRecord, 'topic' | 'partition' | 'offset' | 'appendedAtMs'>;
  entry: Entry;
}

/** Appends in the order given. @returns the size of the log afterwards. @throws LogError if the stored head is not what it must be. */
export async function appendEntries(tx: Tx, fresh: readonly NewEntry[]): Promise<bigint> {
  const before = await lockHead(tx);
  if (fresh.length === 0) return before.size;
  const after = append(
    hasher,
    before,
    fresh.map(({ entry }) => entry.leafHash),
  );
  const [, , { rowCount }] = await Promise.all([
    insertEntries(tx, before.size, fresh),
    insertPayloads(tx, before.size, fresh),
    tx.query({
      name: 'move-head',
      text: 'UPDATE tree_head SET size = $2, nodes = $3 WHERE size = $1',
      values: [before.size, after.size, encodeNodes(after)],
    }),
  ]);
  if (rowCount !== 1) throw new LogError('ERR_LOG_HEAD_MOVED', 'the head moved under its own lock');
  for (const tile of tilesCompleted(before.size, after.size)) await insertTile(tx, tile);
  return after.size;
}

/** The head, without a lock. */
export async function readHead(tx: Pick<Tx, 'query'>): Promise<CompactRange> {
  return headOf(await tx.query<HeadRow>('SELECT size, nodes FROM tree_head'));
}

async function lockHead(tx: Tx): Promise<CompactRange> {
  return headOf(
    await tx.query<HeadRow>({ name: 'lock-head', text: 'SELECT size, nodes FROM tree_head FOR UPDATE' }),
  );
}

interface HeadRow {
  size: bigint;
  nodes: Buffer;
}

function headOf({ rows: [row] }: { rows: HeadRow[] }): CompactRange {
  if (row === undefined) throw new LogError('ERR_LOG_HEAD_MISSING', 'the log has no head');
  return decodeNodes(row.size, row.nodes);
}

async function insertEntries(tx: Tx, first: bigint, fresh: readonly NewEntry[]): Promise<void> {
  const leaves = pack(fresh.map(({ entry }) => entry.leaf));
  await tx.query({
    name: 'insert-entries',
    text: `INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted, type, task_id, event_id)
       SELECT $1::bigint + n - 1, substr($2::bytea, ${HASH_BYTES} * (n::int - 1) + 1, ${HASH_BYTES}), substr($3::bytea, leaf_from, leaf_bytes),
              topic, partition, bus_offset, appended_at_ms, admitted, type, task_id, event_id
         FROM unnest($4::int[], $5::int[], $6::text[], $7::int[], $8::bigint[], $9::bigint[], $10::boolean[], $11::text[], $12::text[], $13::text[])
              WITH ORDINALITY AS e(leaf_from, leaf_bytes, topic, partition, bus_offset, appended_at_ms, admitted, type, task_id, event_id, n)`,
    values: [
      first,
      Buffer.concat(fresh.map(({ entry }) => entry.leafHash)),
      leaves.bytes,
      leaves.from,
      leaves.lengths,
      fresh.map(({ record }) => record.topic),
      fresh.map(({ record }) => record.partition),
      fresh.map(({ record }) => record.offset),
      fresh.map(({ record }) => storableMs(record.appendedAtMs)),
      fresh.map(({ entry }) => entry.admitted),
      fresh.map(({ entry }) => entry.type),
      fresh.map(({ entry }) => entry.taskId),
      fresh.map(({ entry }) => entry.eventId),
    ],
  });
}

async function insertPayloads(tx: Tx, first: bigint, fresh: readonly NewEntry[]): Promise<void> {
  const keys = pack(fresh.map(({ entry }) => entry.payload.recordKey));
  const headers = pack(fresh.map(({ entry }) => entry.payload.headers));
  const values = pack(fresh.map(({ entry }) => entry.payload.value));
  await tx.query({
    name: 'insert-payloads',
    text: `INSERT INTO payload (seq, entry_key, record_key, headers, value)
       SELECT $1::bigint + n - 1, substr($2::bytea, ${ENTRY_KEY_BYTES} * (n::int - 1) + 1, ${ENTRY_KEY_BYTES}),
              substr($3::bytea, key_from, key_bytes), substr($4::bytea, headers_from, headers_bytes), substr($5::bytea, value_from, value_bytes)
         FROM unnest($6::int[], $7::int[], $8::int[], $9::int[], $10::int[], $11::int[])
              WITH ORDINALITY AS p(key_from, key_bytes, headers_from, headers_bytes, value_from, value_bytes, n)`,
    values: [
      ...[
        first,
        Buffer.concat(fresh.map(({ entry }) => entry.entryKey)),
        keys.bytes,
        headers.bytes,
        values.bytes,
      ],
      ...[keys.from, keys.lengths, headers.from, headers.lengths, values.from, values.lengths],
    ],
  });
}

async function insertTile(tx: Tx, tile: TileId): Promise<void> {
  const hashes = await readTileRows(tx, tile);
  if (hashes.length !== TILE_WIDTH)
    throw new LogError('ERR_LOG_ROWS_MISSING', 'the rows of a full tile are not all there');
  await tx.query('INSERT INTO tile (level, idx, hashes, root) VALUES ($1, $2, $3, $4)', [
    tile.level,
    tile.index,
    Buffer.concat(hashes),
    perfectRoot(hasher, hashes),
  ]);
}

/** A producer may claim a time that neither a bigint nor a calendar has. */
const storableMs = (ms: number): bigint => BigInt(Math.abs(ms) < 8.64e15 ? Math.trunc(ms) : 0);
