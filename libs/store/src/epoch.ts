/**
 * Whether this database is as new as what was written out of it. Every record of ours carries its store's epoch and counter;
 * a record of this service that the database does not know was written by a later state of it: the database was restored.
 * It has then forgotten leases and ends, so nothing may be issued or cut on its word.
 *
 * A database that has written nothing since the state it was restored to is not found, and need not be: its positions went back
 * with it, and it reads again what it has forgotten.
 *
 * Only the end of each partition is read. A record is missed
 *  - that is deleted already, by retention or because a later one of its key superseded it;
 *  - that lies further back than {@link FAR} records of others, as after a storm of cuts, and then only if it is so in every
 *    partition: one unknown record is enough;
 *  - that was committed but never sent: nobody has heard of it, and nothing was done on the strength of it;
 *  - whose transaction was not yet committed in the state restored, while one with a higher counter was: a restore to within
 *    the same milliseconds.
 */
import type { Bus, BusRecord, LogEnd } from '#bus/bus.js';
import { readToEnd } from '#bus/read-to-end.js';
import { HEADERS } from '#events/envelope.js';
import { serviceSource, type ServiceName } from '#events/services.js';
import { CHECKPOINTS, CREDENTIAL_EVENTS, REVOCATIONS } from '#events/topics.js';
import { verifyRecord, type PeerKeys } from '#identity/records.js';
import type { Database } from './database.js';
import { readStoreLife } from './store-meta.js';

export interface Origin {
  epoch: string;
  n: bigint;
}

/** Where to look for records of a service: what goes to others of its topics goes to one of these too, or is not acted on. */
export const TOPICS_WRITTEN: Record<ServiceName, readonly string[]> = {
  broker: [CREDENTIAL_EVENTS],
  // Each second there is a heartbeat.
  revoker: [CREDENTIAL_EVENTS, REVOCATIONS],
  auditor: [CREDENTIAL_EVENTS, CHECKPOINTS],
};

export interface EpochCheck {
  db: Database;
  bus: Bus;
  service: ServiceName;
  /** The store that wrote a record, where its signature is this service's; null for any other record. */
  originOf: (record: BusRecord) => Origin | null;
}

/** The database is older than what was written out of it: an operator has to decide. */
export class StoreRestoredError extends Error {
  override readonly name = 'StoreRestoredError';
  readonly code = 'ERR_STORE_RESTORED';
  constructor(
    readonly service: ServiceName,
    readonly fields: { epoch: string; unknownEpochs: number; unknownRecords: number; example: string },
  ) {
    super('the database is older than the records that were written out of it: it was restored');
  }
}

/** For a person, who has to act. */
export const storeRestoredLine = ({ service, code, message, fields }: StoreRestoredError): string =>
  `${code} ${service}: ${message} (${fields.unknownRecords} records and ${fields.unknownEpochs} epochs unknown, such as ${fields.example}); ` +
  `run \`mayfly recover --service ${service}\`, or start with --observe to look first: docs/how-to/recover-from-a-restore.md`;

/** Records looked at from the end of each partition; and where none of ours is among them. */
const NEAR = 200n;
const FAR = 5_000n;

/** The store of a record that this service signed. */
export const originBy =
  (peers: PeerKeys, service: ServiceName): EpochCheck['originOf'] =>
  (record) => {
    const verified = verifyRecord(record, peers);
    return verified.ok && verified.service === service ? verified.store : null;
  };

/** @throws StoreRestoredError; BusError where the topics could not be read */
export async function assertNotRestored(check: EpochCheck): Promise<void> {
  const { epochs, records } = await unknownOnTopics(check);
  const [example] = records.length > 0 ? records : epochs;
  if (example === undefined) return;
  throw new StoreRestoredError(check.service, {
    epoch: (await readStoreLife(check.db.pool)).epoch,
    unknownEpochs: epochs.length,
    unknownRecords: records.length,
    example: String(example),
  });
}

export interface Unknown {
  /** Of this service, and neither this database's nor taken over by it. */
  epochs: string[];
  /** Counters of this epoch that the database has not given out. */
  records: bigint[];
}

/** What the ends of the topics hold of this service that its database does not know. */
export async function unknownOnTopics(check: EpochCheck): Promise<Unknown> {
  const { db, bus, service } = check;
  const life = await readStoreLife(db.pool);
  const known = new Set([...life.earlier, life.epoch]);
  const { rows } = await db.pool.query<{ sent: bigint }>('SELECT sent FROM store_meta');
  const sent = rows[0]?.sent ?? 0n;
  const epochs = new Set<string>();
  const counters = new Map<bigint, string>();
  const told = new Set<string>();
  const look = (record: BusRecord) => {
    const claimed = claimedOrigin(record, service);
    if (claimed === null) return;
    // Most need no look at their signature: they say nothing that is not known.
    const isNews = claimed.epoch === life.epoch ? claimed.n > sent : !known.has(claimed.epoch);
    const origin = isNews ? check.originOf(record) : claimed;
    if (origin === null) return;
    told.add(`${record.topic}/${record.partition}`);
    if (!isNews) return;
    if (origin.epoch === life.epoch) counters.set(origin.n, textOf(record.headers[HEADERS.id]));
    else epochs.add(origin.epoch);
  };
  const silent = ({ topic, partition, oldest, next }: LogEnd) =>
    !told.has(`${topic}/${partition}`) && next - oldest > NEAR;

  const stretch = { group: `${service}.look`, topics: TOPICS_WRITTEN[service] };
  await readToEnd(bus, { ...stretch, from: ({ next }) => next - NEAR }, (records) => records.forEach(look));
  await readToEnd(bus, { ...stretch, from: (end) => end.next - (silent(end) ? FAR : 0n) }, (records) =>
    records.forEach(look),
  );
  return { epochs: [...epochs], records: await notGivenOut(db, counters) };
}

/**
 * Asked after the topics were read: another process of this service may be sending and deleting all the while. What waits in
 * the outbox is known by its id, not by its counter alone: a service that cuts before the bus is reached counts on meanwhile.
 */
async function notGivenOut(db: Database, counters: ReadonlyMap<bigint, string>): Promise<bigint[]> {
  if (counters.size === 0) return [];
  const { rows } = await db.pool.query<{ n: bigint }>(
    `SELECT n FROM unnest($1::bigint[], $2::text[]) AS seen(n, ce_id), store_meta
      WHERE n > sent AND NOT EXISTS (SELECT FROM outbox WHERE id = n AND head->>'id' = ce_id) ORDER BY n DESC`,
    [[...counters.keys()], [...counters.values()]],
  );
  return rows.map(({ n }) => n);
}

const textOf = (header: BusRecord['headers'][string]): string =>
  header === undefined || Array.isArray(header) ? '' : header.toString();

/** As its headers say, before any signature is checked. */
function claimedOrigin({ headers }: BusRecord, service: ServiceName): Origin | null {
  if (textOf(headers[HEADERS.source]) !== serviceSource(service)) return null;
  const [, epoch, n] = /^([\w-]{1,64})\.(\d{1,19})$/.exec(textOf(headers[HEADERS.store])) ?? [];
  return epoch === undefined || n === undefined ? null : { epoch, n: BigInt(n) };
}
