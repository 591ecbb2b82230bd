/**
 * Rows against their bytes, and against the tree: each entry is there, has the hash of its leaf, the columns that the leaf says,
 * and the hash that its full tile has. What was changed under the log is known by its number before anybody exports it.
 */
import { MAX_ENTRY_BYTES, sameHash, type Hash } from '#merkle/hash.js';
import type { CompactRange } from '#merkle/compact-range.js';
import { hasher } from '#merkle/node/hasher.js';
import { nodesOf, type NodeId } from '#merkle/subtree.js';
import type { Tx } from '#store/database.js';
import { columnsOf, differing, type Columns } from '../leaf/columns.js';
import { LogError } from './log-error.js';
import { readSubtreeRoots } from './nodes.js';
import { readTileHashes } from './tile-rows.js';

type Reader = Pick<Tx, 'query'>;

/**
 * `missing`: no such row. `hash`: not that of the leaf. `tile`: not that of its tile. `columns`: they say something else. `beyond`:
 * behind the end. `root`, `head`: somewhere before `to`, the hashes are not those that the tile's root, or the head, was made of.
 */
export type RowFault = 'missing' | 'hash' | 'tile' | 'columns' | 'beyond' | 'root' | 'head';

export interface RowFinding {
  seq: bigint;
  fault: RowFault;
  /** Names of columns, for `columns`. */
  columns?: string[];
  /** Exclusive, for `root` and `head`. */
  to?: bigint;
}

interface Row extends Columns {
  seq: bigint;
  leaf: Buffer;
  leafHash: Buffer;
}

/** Entries `[from, to)`, in their order. Requires 0 <= from < to <= the log's size, and that it is not much. */
export async function checkRows(db: Reader, from: bigint, to: bigint): Promise<RowFinding[]> {
  const { rows } = await db.query<Row>({
    name: 'check-rows',
    text: `SELECT seq, leaf, leaf_hash AS "leafHash", topic, partition, bus_offset AS "offset", appended_at_ms AS "appendedAtMs",
                  admitted, type, task_id AS "taskId", event_id AS "eventId"
             FROM entry WHERE seq >= $1 AND seq < $2 ORDER BY seq`,
    values: [from, to],
  });
  const inTree = await readTileHashes(db, from, to);
  const found: RowFinding[] = [];
  let next = from;
  for (const row of rows) {
    for (; next < row.seq; next += 1n) found.push({ seq: next, fault: 'missing' });
    next = row.seq + 1n;
    const finding = judge(row, inTree(row.seq));
    if (finding !== undefined) found.push(finding);
  }
  for (; next < to; next += 1n) found.push({ seq: next, fault: 'missing' });
  return found;
}

function judge(row: Row, inTree: Hash | undefined): RowFinding | undefined {
  const { seq, leaf, leafHash } = row;
  if (leaf.length > MAX_ENTRY_BYTES || !sameHash(hasher.leaf(leaf), leafHash)) return { seq, fault: 'hash' };
  if (inTree !== undefined && !sameHash(inTree, leafHash)) return { seq, fault: 'tile' };
  const columns = differing(row, columnsOf(leaf) ?? {});
  return columns.length === 0 ? undefined : { seq, fault: 'columns', columns };
}

/** Rows and payloads at or behind the end of the log: none was appended. At most `limit`. */
export async function rowsBeyond(db: Reader, limit: number): Promise<RowFinding[]> {
  const { rows } = await db.query<{ seq: bigint }>(
    `SELECT seq FROM entry WHERE seq >= (SELECT size FROM tree_head)
     UNION SELECT seq FROM payload WHERE seq >= (SELECT size FROM tree_head) ORDER BY seq LIMIT $1`,
    [limit],
  );
  return rows.map(({ seq }) => ({ seq, fault: 'beyond' }));
}

/** The subtrees that the stored head is made of, against what tiles and rows give: what was changed with its hash and its tile shows here. */
export async function checkHead(db: Reader, { size, nodes }: CompactRange): Promise<RowFinding[]> {
  const found: RowFinding[] = [];
  for (const [i, node] of nodesOf({ start: 0n, end: size }).entries()) {
    const width = 1n << BigInt(node.level);
    const root = await rootUnder(db, node);
    if (root !== undefined && !sameHash(root, nodes[i] as Hash))
      found.push({ seq: node.index * width, to: (node.index + 1n) * width, fault: 'head' });
  }
  return found;
}

/** @returns undefined where rows are missing, which they are by number */
async function rootUnder(db: Reader, node: NodeId): Promise<Hash | undefined> {
  try {
    return (await readSubtreeRoots(db, [node]))[0];
  } catch (error) {
    if (error instanceof LogError && error.code === 'ERR_LOG_ROWS_MISSING') return undefined;
    throw error;
  }
}
