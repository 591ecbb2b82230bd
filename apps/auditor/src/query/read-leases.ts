/** What the log has of leases that were issued: their own events, and the acceptance of their task, found by the index of tasks. */
import type { Tx } from '#store/database.js';
import { envelopeOf, type Envelope, type StoredEntry } from '../log/entries.js';
import type { LeaseRecord } from './held-access.js';

type Reader = Pick<Tx, 'query'>;

/** Events of a task that are looked at for one lease, on either side of when it was issued. */
const MAX_BEFORE = 2_000;
const MAX_AFTER = 5_000;
const BEFORE = ['task.accepted', 'call.decided', 'lease.intended'];
const AFTER = ['lease.renewed', 'lease.access_cut'];

const ITS = 'task_id = l.task_id AND admitted AND seq < $4::bigint';
const SIDES = `(
    SELECT seq, type, leaf, false AS is_after FROM entry
     WHERE ${ITS} AND seq < l.seq AND type = ANY($5::text[]) ORDER BY seq DESC LIMIT ${MAX_BEFORE}
  ) UNION ALL (
    SELECT seq, type, leaf, true AS is_after FROM entry
     WHERE ${ITS} AND seq > l.seq AND type = ANY($6::text[]) ORDER BY seq LIMIT ${MAX_AFTER})`;

/** To find bytes is a tenth of what it is to read a leaf: of a task with many leases nearly all are others'. */
const IS_ITS = `(position(convert_to(l.lease_id, 'UTF8') IN side.leaf) > 0
               AND convert_from(side.leaf, 'UTF8')::jsonb #>> '{event,leaseId}' = l.lease_id)`;

interface Row {
  n: number;
  looked: number;
  /** An array of int8 is read as texts. */
  seqs: string[];
  leaves: Buffer[];
}

/** @param issued entries of `lease.issued` @param size of the tree that they are in */
export async function readLeases(
  db: Reader,
  issued: readonly StoredEntry[],
  size: bigint,
): Promise<LeaseRecord[]> {
  const leases = issued.map((entry) => ({ entry, ...idsOf(envelopeOf(entry.leaf)) }));
  const { rows } = await db.query<Row>(
    `SELECT l.n::int AS n, found.looked, found.seqs, found.leaves
       FROM unnest($1::text[], $2::text[], $3::bigint[]) WITH ORDINALITY AS l (task_id, lease_id, seq, n)
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE side.is_after)::int AS looked,
               coalesce(array_agg(side.seq ORDER BY side.seq) FILTER (WHERE said.is_its), '{}') AS seqs,
               coalesce(array_agg(side.leaf ORDER BY side.seq) FILTER (WHERE said.is_its), '{}') AS leaves
          FROM (${SIDES}) AS side
         CROSS JOIN LATERAL (
           SELECT side.type = 'task.accepted' OR ${IS_ITS} AS is_its) AS said
      ) AS found ORDER BY l.n`,
    [
      leases.map(({ taskId }) => taskId),
      leases.map(({ leaseId }) => leaseId),
      issued.map(({ seq }) => seq),
      size,
      BEFORE,
      AFTER,
    ],
  );
  return leases.map(({ entry, leaseId }, i) => {
    const { looked = 0, seqs = [], leaves = [] } = rows[i] ?? {};
    const told = leaves.map((leaf, at) => ({ seq: BigInt(seqs[at] ?? -1), envelope: envelopeOf(leaf) }));
    const own = { seq: entry.seq, envelope: envelopeOf(entry.leaf) };
    return { leaseId, told: [...told, own].sort(bySeq), complete: looked < MAX_AFTER };
  });
}

function idsOf({ task, event }: Envelope): { taskId: string; leaseId: string } {
  const leaseId = typeof event === 'object' && event !== null && 'leaseId' in event ? event.leaseId : '';
  return {
    taskId: typeof task === 'string' ? task : '',
    leaseId: typeof leaseId === 'string' ? leaseId : '',
  };
}

const bySeq = (a: { seq: bigint }, b: { seq: bigint }): number => Number(a.seq - b.seq);
