/** Who read the audit: an event of its own, queued before the answer is given, and an entry of the log soon after. */
import { v7 as uuidV7 } from 'uuid';
import { wireType } from '#events/inbound.js';
import type { OutboundData } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { transact, type Database } from '#store/database.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';

export interface AuditRead {
  /** Authenticated SPIFFE id. */
  reader: string;
  /** `GET:/v1/entries/:seq`. */
  route: string;
  /** What was read: a sequence number. */
  subject?: string | undefined;
  taskId?: string | undefined;
}

/** Key and subject of reads that concern no single task. */
const NO_TASK = 'audit';

/** Resolves once the read is durable, not once it is sent. */
export async function recordRead(db: Database, read: AuditRead, nowMs: number): Promise<QueuedRecord[]> {
  const { reader, route, subject, taskId = NO_TASK } = read;
  const at = new Date(nowMs).toISOString();
  const data: OutboundData<'access.read'> = {
    taskId,
    generation: 0,
    actor: reader,
    at,
    reader,
    role: 'auditor',
    route,
    ...(subject === undefined ? {} : { subject }),
  };
  const head = {
    id: uuidV7(),
    source: serviceSource('auditor'),
    type: wireType('access.read'),
    subject: taskId,
    time: at,
    contentType: 'application/json',
  };
  const value = Buffer.from(JSON.stringify(data));
  return transact(db, (tx) => enqueue(tx, [{ topic: CREDENTIAL_EVENTS, key: taskId, head, value }]));
}
