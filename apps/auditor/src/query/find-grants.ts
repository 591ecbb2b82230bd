/**
 * Leases that were held at an instant, found by what is projected of them. What a row says is what the entries say, unless something came in
 * behind the head that the answer is of, or the lease was renewed: then its entries are asked.
 */
import type { Row } from '#projection/tables.js';
import type { Tx } from '#store/database.js';
import type { StoredEntry } from '../log/entries.js';
import { heldAt, type HeldAccess } from './held-access.js';
import { readLeases } from './read-leases.js';
import { readRows, type Place, type RowsQuery } from './read-rows.js';
import type { Bind } from './translate.js';

export interface HeldQuery {
  atMs: number;
  /** Of the log: what came in later is not known. */
  size: bigint;
  /** No lease was granted for longer. */
  longestMs: bigint;
  /** As the rows have it. */
  wanted: Readonly<Partial<Record<'tool' | 'dataset' | 'target', string>>>;
  agent: string | undefined;
  /** Names of the person or workload: any of them. */
  principal: readonly string[] | undefined;
  /** Whose leases may be seen; all, if undefined. */
  tenants: readonly string[] | undefined;
  limit: number;
  before: Place | undefined;
}

export async function findHeld(
  tx: Pick<Tx, 'query'>,
  query: HeldQuery,
): Promise<{ held: HeldAccess[]; last: Place | undefined }> {
  const { rows, last } = await readRows(tx, grantsQuery(query));
  const asked = await readLeases(tx, await readIssued(tx, rows.filter(needsEntries(query))), query.size);
  const folded = new Map(asked.map((lease) => [lease.leaseId, lease]));
  const held = rows.flatMap((row) => {
    const lease = folded.get(String(row.lease_id));
    return lease === undefined ? [heldOf(row)] : (heldAt(lease, query.atMs) ?? []);
  });
  return { held, last };
}

/** Pure. All that were held, and of those that changed since some that were not. */
export function grantsQuery(query: HeldQuery): RowsQuery {
  const { atMs, size, longestMs, wanted, agent, principal, tenants, limit, before } = query;
  const at = BigInt(atMs);
  const equals = (bind: Bind, column: string, value: string | undefined): string[] =>
    value === undefined ? [] : [`${column} = ${bind(value)}::text`];
  return {
    table: 'access_grant',
    order: ['granted_at_ms', 'seq_granted'],
    found: (bind) => [
      `granted_at_ms <= ${bind(at)}::bigint`,
      `granted_at_ms > ${bind(at - longestMs)}::bigint`,
      ...equals(bind, 'dataset', wanted.dataset),
    ],
    wanted: (bind) => [
      `seq_granted < ${bind(size)}::bigint`,
      `expires_at_ms > ${bind(at)}::bigint`,
      `(cut_at_ms IS NULL OR cut_at_ms > ${bind(at)}::bigint OR seq_cut >= ${bind(size)}::bigint)`,
      ...equals(bind, 'tool', wanted.tool),
      ...equals(bind, 'target', wanted.target),
      ...equals(bind, 'agent', agent),
      ...(principal === undefined ? [] : [`principal = ANY(${bind(principal)}::text[])`]),
      ...(tenants === undefined ? [] : [`tenant = ANY(${bind(tenants)}::text[])`]),
    ],
    ...{ limit, before },
  };
}

const needsEntries =
  ({ size }: HeldQuery) =>
  ({ seq_changed, renewals }: Row): boolean =>
    renewals !== null || BigInt(Number(seq_changed)) >= size;

async function readIssued(tx: Pick<Tx, 'query'>, rows: readonly Row[]): Promise<StoredEntry[]> {
  if (rows.length === 0) return [];
  const found = await tx.query<StoredEntry>(
    'SELECT seq, leaf, leaf_hash AS "leafHash" FROM entry WHERE seq = ANY($1::bigint[])',
    [rows.map(({ seq_granted }) => seq_granted)],
  );
  return found.rows;
}

function heldOf(row: Row): HeldAccess {
  const [cutAtMs, expiresAtMs] = [numberOf(row, 'cut_at_ms'), numberOf(row, 'expires_at_ms') ?? 0];
  const isCut = cutAtMs !== null && cutAtMs <= expiresAtMs;
  return {
    ...{ leaseId: textOf(row, 'lease_id') ?? '', taskId: textOf(row, 'task_id') ?? '' },
    ...{ tenant: textOf(row, 'tenant'), principal: textOf(row, 'principal') },
    ...{ agent: textOf(row, 'agent') ?? '', tool: textOf(row, 'tool'), dataset: textOf(row, 'dataset') },
    ...{ action: textOf(row, 'action'), target: textOf(row, 'target'), account: textOf(row, 'account') },
    rights: Array.isArray(row.rights) ? row.rights.filter((each) => typeof each === 'string') : [],
    from: timeOf(numberOf(row, 'granted_at_ms') ?? 0),
    until: timeOf(isCut ? cutAtMs : expiresAtMs),
    cause: isCut ? textOf(row, 'cause') : null,
    complete: true,
    entries: {
      decided: numberOf(row, 'seq_decided'),
      issued: numberOf(row, 'seq_granted') ?? 0,
      cut: numberOf(row, 'seq_cut'),
    },
  };
}

const textOf = (row: Row, column: string): string | null => {
  const value = row[column];
  return typeof value === 'string' ? value : null;
};
const numberOf = (row: Row, column: string): number | null => {
  const value = row[column];
  return typeof value === 'number' ? value : null;
};
const timeOf = (ms: number): string => new Date(ms).toISOString();
