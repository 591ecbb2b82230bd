/**
 * How tokens are taken back (docs/providers/jwt): a record on `mayfly.revocations.v1`, and then a look at that topic as verifiers
 * read it. What was told for a whole task is not told again for its leases. Many leases that end together share a commit.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { revocationKey } from '#events/revocations.js';
import type { PeerKeys } from '#identity/records.js';
import type { RevocationOutlet, TokenLease } from '#providers/jwt/revocation-outlet.js';
import { transact, type Database } from '#store/database.js';
import { enqueueWith, type QueuedRecord } from '#store/outbox.js';
import type { Log } from '#telemetry/log.js';
import { RevocationFeed, type RevocationLog } from '#verifier/revocation-feed.js';
import { readLeases } from './lease-rows.js';
import { GROUP } from './publish.js';
import { readRevocations, tellRevocations, type RevocationNotice } from './revocation-rows.js';

type Told = Parameters<RevocationOutlet['revoke']>[0];

export interface OutletParts {
  db: Database;
  /** Resolves once the bus has acknowledged them, and rejects while there is no bus. */
  publish: (records: readonly QueuedRecord[]) => Promise<void>;
  log: Log;
}

interface Waiting {
  told: Told;
  resolve: () => void;
  reject: (cause: unknown) => void;
}
interface Awaited {
  lease: TokenLease;
  done: () => void;
}

const BATCH = 200;
/** Then the cut has failed, and is tried again; the record leaves when the bus is back. */
const ACKNOWLEDGED_WITHIN_MS = 2_000;
/** A look after it that still finds the lease alive is what it is. */
const READ_BACK_WITHIN_MS = 1_000;
const OPEN_AGAIN_MS = 1_000;

export class BusOutlet implements RevocationOutlet {
  #waiting: Waiting[] = [];
  #isWriting = false;
  readonly #awaited = new Set<Awaited>();
  #feed: RevocationFeed | undefined;
  #opening: Promise<void> | undefined;
  #closed = false;

  constructor(private readonly parts: OutletParts) {}

  /** Reads the topic from now on, however long it takes to reach it. Until it has caught up, nothing is known to live. */
  follow(bus: RevocationLog, peers: PeerKeys): void {
    this.#opening = this.#open(bus, peers);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening;
    await this.#feed?.close();
  }

  look(lease: TokenLease): 'dead' | 'live' | 'unknown' {
    if (this.#isDead(lease)) return 'dead';
    return this.#feed?.know().knows === true ? 'live' : 'unknown';
  }

  /** @throws Error where the bus has not acknowledged it in time */
  revoke(told: Told): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ told, resolve, reject });
      if (!this.#isWriting) void this.#pump();
    });
  }

  async #open(bus: RevocationLog, peers: PeerKeys): Promise<void> {
    const { log } = this.parts;
    while (!this.#closed) {
      try {
        this.#feed = await RevocationFeed.open({
          ...{ log: bus, peers, group: `${GROUP}-told` },
          onTrouble: (err) => log.warn({ err }, 'what verifiers are told cannot be read'),
          onRead: () => this.#heard(),
        });
        return;
      } catch (err) {
        log.warn({ err }, 'what verifiers are told cannot be read');
        await sleep(OPEN_AGAIN_MS, undefined, { ref: false });
      }
    }
  }

  #isDead({ leaseId, agent, agentGeneration, lineage }: TokenLease): boolean {
    const token = { leaseId, agent: agent ?? '', agentGeneration, kid: '', lineage };
    return this.#feed?.set.isDead(token) ?? false;
  }

  async #pump(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, BATCH);
      try {
        const { queued, leases } = await write(this.parts.db, batch);
        void this.#finish(batch, leases, queued);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#isWriting = false;
  }

  async #finish(
    batch: readonly Waiting[],
    leases: readonly TokenLease[],
    queued: QueuedRecord[],
  ): Promise<void> {
    try {
      if (queued.length > 0) await inTime(this.parts.publish(queued), ACKNOWLEDGED_WITHIN_MS);
    } catch (error) {
      for (const { reject } of batch) reject(error);
      return;
    }
    await Promise.all(
      batch.map(async ({ resolve }, n) => {
        const lease = leases[n];
        if (lease !== undefined) await this.#readBack(lease);
        resolve();
      }),
    );
  }

  #readBack(lease: TokenLease): Promise<void> {
    if (this.#feed === undefined || this.#isDead(lease)) return Promise.resolve();
    return new Promise((resolve) => {
      const awaited: Awaited = {
        lease,
        done: () => {
          clearTimeout(timer);
          this.#awaited.delete(awaited);
          resolve();
        },
      };
      const timer = setTimeout(awaited.done, READ_BACK_WITHIN_MS);
      this.#awaited.add(awaited);
    });
  }

  #heard(): void {
    for (const { lease, done } of this.#awaited) if (this.#isDead(lease)) done();
  }
}

/** Writes what has not been told of these leases, or of what they hang on. */
function write(
  db: Database,
  batch: readonly Waiting[],
): Promise<{ queued: QueuedRecord[]; leases: TokenLease[] }> {
  return transact(db, async (tx) => {
    const ids = batch.map(({ told }) => told.id);
    const rows = await readLeases(tx, ids);
    const known = new Map(rows.map((lease) => [lease.leaseId, lease]));
    const over = await readRevocations(tx, [
      ...new Set(
        rows.flatMap(({ lineage }) => lineage.map(({ taskId: id }) => revocationKey({ what: 'task', id }))),
      ),
    ]);
    const belowOf = new Map(over.map(({ key, generationBelow }) => [key, generationBelow]));
    const leases = ids.map((leaseId): TokenLease => {
      const lease = known.get(leaseId);
      const { agent = null, agentGeneration, lineage = [] } = lease ?? {};
      return { leaseId, agent, agentGeneration, lineage };
    });
    const notices = batch.flatMap(({ told }, n): RevocationNotice[] => {
      const isCovered = leases[n]?.lineage.some(({ taskId: id, generation }) => {
        const below = belowOf.get(revocationKey({ what: 'task', id }));
        return below === null || (below !== undefined && generation < below);
      });
      if (isCovered === true) return [];
      const lease = known.get(told.id);
      const why = lease !== undefined && 'revocation' in lease ? lease.revocation : undefined;
      const { what, id, generationBelow, notAfter, reason } = told;
      return [
        {
          ...{ what, id, generationBelow, notAfterMs: Date.parse(notAfter) },
          ...{ reason: why?.cause ?? reason, causedBy: why?.causedBy ?? null },
        },
      ];
    });
    const { writes, records } = await tellRevocations(tx, notices, Date.now());
    return { queued: await enqueueWith(tx, writes, records), leases };
  });
}

async function inTime(work: Promise<void>, withinMs: number): Promise<void> {
  const late = new AbortController();
  const over = sleep(withinMs, undefined, { signal: late.signal }).then(
    () => Promise.reject(new Error('the bus does not acknowledge')),
    () => undefined,
  );
  try {
    await Promise.race([work, over]);
  } finally {
    late.abort();
  }
}
