/** Who read the audit: an event of its own, queued before the answer is given, and an entry of the log soon after. */
import { v7 as uuidV7 } from 'uuid';
import type { Role } from '#events/catalogue.js';
import { wireType } from '#events/inbound.js';
import type { OutboundData } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { transact, type Database } from '#store/database.js';
import { enqueue, type QueuedRecord, type UnsignedRecord } from '#store/outbox.js';

export interface AuditRead {
  /** Authenticated: a SPIFFE id, or a person who has signed in. */
  reader: string;
  /** For which it was let in. */
  role: Role;
  /** `GET:/v1/entries/:seq`. */
  route: string;
  /** What was read: a sequence number. */
  subject?: string | undefined;
  taskId?: string | undefined;
  /** SHA-256 of what was asked for, `sha256:<hex>`. */
  query?: string | undefined;
  /** Size of the tree that the answer was of. */
  asOf?: bigint | undefined;
  /** How many reads this one stands for. */
  count?: number;
}

/** Key and subject of reads that concern no single task. */
const NO_TASK = 'audit';

/** Resolves once the reads are durable, not once they are sent. */
export async function recordReads(
  db: Database,
  reads: readonly AuditRead[],
  nowMs: number,
): Promise<QueuedRecord[]> {
  const records = reads.map((read) => recordOf(read, new Date(nowMs).toISOString()));
  return transact(db, (tx) => enqueue(tx, records));
}

function recordOf({ taskId = NO_TASK, asOf, ...read }: AuditRead, at: string): UnsignedRecord {
  const data: OutboundData<'access.read'> = {
    ...{ taskId, generation: 0, actor: read.reader, at },
    ...read,
    ...(asOf === undefined ? {} : { asOf: Number(asOf) }),
  };
  const head = {
    id: uuidV7(),
    source: serviceSource('auditor'),
    type: wireType('access.read'),
    subject: taskId,
    time: at,
    contentType: 'application/json',
  };
  return { topic: CREDENTIAL_EVENTS, key: taskId, head, value: Buffer.from(JSON.stringify(data)) };
}
