/**
 * Feeds a `RevocationSet` from `mayfly.revocations.v1`: all of its one partition, from the oldest record on, alone and without a
 * stored position, because every verifier must hear everything. Only what the revoker signed is handed on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { v4 as uuidV4 } from 'uuid';
import type { Bus, BusRecord, Consumer } from '#bus/bus.js';
import { lettingOthersIn } from '#bus/letting-in.js';
import { HEARTBEAT_TYPE, REVOCATION_TYPE, readRevocation } from '#events/revocations.js';
import { CREDENTIAL_EVENTS, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import { verifyRecord, type PeerKeys } from '#identity/records.js';
import { InputSamples } from './input-samples.js';
import type { Life, LifeSource, VerifiedToken } from './life.js';
import { RevocationSet, type Knowledge } from './revocation-set.js';

/** The part of a bus that is needed; the one on Kafka and the one in PostgreSQL both have it. */
export type RevocationLog = Pick<Bus, 'ends' | 'subscribe'>;

/** What the revoker must have read for its word to be news. */
const INPUTS = [TASK_EVENTS, CREDENTIAL_EVENTS];
const TRY_AGAIN_AFTER_MS = 500;
/** So many heartbeats in a row with another sum than ours, and the topic is read again from its start. */
const START_OVER_AFTER = 30;

export interface FeedSettings {
  log: RevocationLog;
  /** Public keys of Mayfly's services; the revoker's is the one that counts. */
  peers: PeerKeys;
  set?: RevocationSet;
  /** Begins the name of a consumer group that is used once: Kafka has no reading without one. */
  group?: string;
  clock?: () => number;
  /** The topic or the ends of the revoker's inputs could not be read. It is tried again; meanwhile the set says that it does not know. */
  onTrouble?: (cause: Error) => void;
  /** After each batch of records has reached the set. */
  onRead?: () => void;
}

export class RevocationFeed implements LifeSource {
  readonly set: RevocationSet;
  readonly #log: RevocationLog;
  readonly #peers: PeerKeys;
  readonly #group: string;
  readonly #clock: () => number;
  readonly #onTrouble: (cause: Error) => void;
  readonly #onRead: () => void;
  readonly #samples = new InputSamples();
  #sampling: Promise<void> | undefined;
  #next = 0n;
  /** Where the topic ended when reading began; undefined once it was read to there. */
  #end: bigint | undefined;
  #consumer: Consumer | undefined;
  #disagreed = 0;
  #crash: Error | undefined;
  #recovering: Promise<void> | undefined;
  #passedOver = 0;
  #closed = false;

  private constructor(settings: FeedSettings) {
    this.set = settings.set ?? new RevocationSet();
    this.#log = settings.log;
    this.#peers = settings.peers;
    this.#group = settings.group ?? 'mayfly-verifier';
    this.#clock = settings.clock ?? Date.now;
    this.#onTrouble = settings.onTrouble ?? (() => undefined);
    this.#onRead = settings.onRead ?? (() => undefined);
  }

  /** Resolves once reading has begun. Until it has caught up, `know` says so. @throws BusError where the bus cannot be reached */
  static async open(settings: FeedSettings): Promise<RevocationFeed> {
    const feed = new RevocationFeed(settings);
    await feed.#begin();
    return feed;
  }

  lifeOf({ claims, kid }: VerifiedToken, nowMs: number): Life {
    const { jti: leaseId, client_id: agent, lineage, agent_generation: agentGeneration } = claims;
    if (this.set.isDead({ leaseId, agent, kid, lineage, agentGeneration })) return 'dead';
    return this.set.know(nowMs).knows ? 'live' : 'unknown';
  }

  /** For readiness: a service that does not know should not be sent requests it will refuse. */
  know(): Knowledge {
    return this.set.know(this.#clock());
  }

  /** How many records were passed over: not signed by the revoker, or not what its records are like. */
  get passedOver(): number {
    return this.#passedOver;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#recovering;
    await this.#consumer?.stop();
    await this.#sampling;
  }

  async #begin(): Promise<void> {
    const [end] = await this.#log.ends([REVOCATIONS]);
    const endsAt = end?.next ?? 0n;
    // Shorter than what was read: it was made anew, and what was heard is of its former life.
    if (endsAt < this.#next || this.#disagreed >= START_OVER_AFTER) {
      this.set.clear();
      this.#next = 0n;
      this.#disagreed = 0;
    }
    // What is gone cannot be asked for. If anything of it mattered, the sums will differ.
    const oldest = end?.oldest ?? 0n;
    if (this.#next < oldest) this.#next = oldest;
    this.#end = endsAt;
    await this.#sample();
    this.#arrive();
    this.#consumer = await this.#log.subscribe({
      group: `${this.#group}-${uuidV4()}`,
      topics: [REVOCATIONS],
      positions: (assigned) => Promise.resolve(assigned.map((place) => ({ ...place, next: this.#next }))),
      onBatch: (records) => this.#read(records),
      onCrash: (cause) => this.#crashed(cause),
    });
    try {
      await this.#consumer.ready();
    } catch (error) {
      await this.#consumer.stop();
      throw error;
    }
  }

  #crashed(cause: Error): void {
    this.#crash = cause;
    this.#recovering ??= this.#recover().finally(() => (this.#recovering = undefined));
  }

  /** Goes on where it was, for as long as it takes. What is known meanwhile ages, and `know` says so. */
  async #recover(): Promise<void> {
    while (this.#crash !== undefined && !this.#closed) {
      this.#onTrouble(this.#crash);
      this.#crash = undefined;
      await this.#consumer?.stop().catch(() => undefined);
      await sleep(TRY_AGAIN_AFTER_MS);
      if (this.#closed) return;
      await this.#begin().catch((error: unknown) => (this.#crash ??= asError(error)));
    }
  }

  async #read(records: readonly BusRecord[]): Promise<void> {
    const letIn = lettingOthersIn();
    for (const record of records) {
      const others = letIn();
      if (others !== undefined) await others;
      // Handed over again after a rebalance, or of a partition that should not be there.
      if (record.partition !== 0 || record.offset < this.#next) continue;
      if (!this.#tell(record)) this.#passedOver += 1;
      this.#next = record.offset + 1n;
      this.#arrive();
    }
    this.#onRead();
  }

  #arrive(): void {
    if (this.#end === undefined || this.#next < this.#end) return;
    this.#end = undefined;
    this.set.caughtUp();
  }

  /** @returns false for what is not the revoker's word. */
  #tell(record: BusRecord): boolean {
    const verified = verifyRecord(record, this.#peers);
    if (!verified.ok || verified.service !== 'revoker') return false;
    const { subject, type } = verified.head;
    const key = record.key?.toString('utf8');
    if (record.topic !== REVOCATIONS || key !== subject) return false;
    const nowMs = this.#clock();
    if (record.value === null) {
      if (type === REVOCATION_TYPE) this.set.apply({ type: 'tombstone', key }, nowMs);
      return type === REVOCATION_TYPE;
    }
    const reading = readRevocation(key, record.value);
    if (!reading.ok) return false;
    if (type !== (reading.type === 'heartbeat' ? HEARTBEAT_TYPE : REVOCATION_TYPE)) return false;
    if (reading.type === 'revocation') {
      this.set.apply({ type: 'revocation', revocation: reading.revocation, value: record.value }, nowMs);
      return true;
    }
    const { heartbeat } = reading;
    const readUntilMs = this.#samples.readUntilMs(heartbeat.inputsReadUpTo);
    this.set.apply({ type: 'heartbeat', heartbeat, readUntilMs }, nowMs);
    if (this.#end === undefined) this.#heard(this.set.know(nowMs));
    return true;
  }

  /** After a heartbeat that is no old one. */
  #heard(knowledge: Knowledge): void {
    void this.#sample();
    this.#disagreed = !knowledge.knows && knowledge.why === 'digest_differs' ? this.#disagreed + 1 : 0;
    if (this.#disagreed === START_OVER_AFTER)
      this.#crashed(new Error('the sums differ for long: the topic is read again'));
  }

  /** Looks where the revoker's inputs end. One look at a time; without any, the set soon does not know. */
  #sample(): Promise<void> {
    const atMs = this.#clock();
    this.#sampling ??= this.#log
      .ends(INPUTS)
      .then((ends) => this.#samples.note(ends, atMs))
      .catch((cause: unknown) => this.#onTrouble(asError(cause)))
      .finally(() => (this.#sampling = undefined));
    return this.#sampling;
  }
}

const asError = (cause: unknown) => (cause instanceof Error ? cause : new Error('the bus failed'));
