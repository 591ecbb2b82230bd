/**
 * After a restore of the revoker's database, before it says anything: what verifiers were told is taken over from their topic,
 * which is compacted and so holds all that is live. `seq` never goes back, and the sum of the heartbeat is that of the topic.
 */
import { z } from 'zod';
import type { Bus, BusRecord } from '#bus/bus.js';
import { readToEnd } from '#bus/read-to-end.js';
import { REVOCATIONS } from '#events/topics.js';
import { verifyRecord, type PeerKeys } from '#identity/records.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { enqueueWith } from '#store/outbox.js';
import { GROUP, revocationRecord } from './publish.js';
import { digestOf, lockSum, saved, saysMore, xor, type Stored } from './revocation-rows.js';

/** What the forgotten life may have said besides, on its way when it ended. */
const SEQ_GAP = 10_000n;

const heartbeat = z.object({ seq: z.int().nonnegative() });
const revocation = heartbeat.extend({
  generationBelow: z.int().nullable(),
  notAfter: z.string(),
});

/** What is on the topic. */
interface Told {
  seq: bigint;
  live: Map<string, Stored>;
}

/** Nothing of this topic may be sent meanwhile. Doing it twice does nothing more but leave a gap in `seq`. */
export async function takeOverRevocations(db: Database, bus: Bus, peers: PeerKeys): Promise<void> {
  const told: Told = { seq: 0n, live: new Map() };
  const stretch = { group: `${GROUP}.recover`, topics: [REVOCATIONS], from: () => 0n };
  await readToEnd(bus, stretch, (records) => records.forEach((record) => note(told, record, peers)));
  await transact(db, (tx) => merge(tx, told, Date.now()));
}

function note(told: Told, record: BusRecord, peers: PeerKeys): void {
  const verified = verifyRecord(record, peers);
  const key = record.key?.toString() ?? '';
  if (!verified.ok || verified.service !== 'revoker') return;
  if (record.value === null) return void told.live.delete(key);
  const json: unknown = JSON.parse(record.value.toString());
  const { seq } = heartbeat.parse(json);
  if (BigInt(seq) > told.seq) told.seq = BigInt(seq);
  if (key === 'heartbeat') return;
  const { generationBelow, notAfter } = revocation.parse(json);
  told.live.set(key, {
    ...{ key, generationBelow, notAfter: new Date(notAfter), value: record.value },
    ...{ seq: BigInt(seq), causedBy: null },
  });
}

async function merge(tx: Tx, told: Told, nowMs: number): Promise<void> {
  const sum = await lockSum(tx);
  // Numbered by a counter that had gone back.
  await tx.query('DELETE FROM outbox WHERE topic = $1', [REVOCATIONS]);
  const { rows } = await tx.query<Stored>(
    `SELECT key, generation_below AS "generationBelow", not_after AS "notAfter", value, seq, caused_by AS "causedBy"
       FROM revocation`,
  );
  const all = new Map(told.live);
  const untold: Stored[] = [];
  let seq = (sum.seq > told.seq ? sum.seq : told.seq) + SEQ_GAP;
  for (const row of rows) {
    const there = told.live.get(row.key);
    if (there !== undefined && !saysMore(row, there) && row.notAfter <= there.notAfter) continue;
    seq += 1n;
    const said = JSON.parse(row.value.toString()) as object;
    const again = { ...row, seq, value: Buffer.from(JSON.stringify({ ...said, seq: Number(seq) })) };
    all.set(row.key, again);
    untold.push(again);
  }
  let digest: Buffer = Buffer.alloc(32);
  for (const [key, { value }] of all) digest = xor(digest, digestOf(key, value));
  await enqueueWith(
    tx,
    saved({ seq, live: BigInt(all.size), digest }, [...all.values()]),
    untold.map(({ key, value }) => revocationRecord(key, value, nowMs)),
  );
}
