/**
 * Follows topics that Mayfly's services write, from their ends at this moment: nothing older is read, and what is
 * published after `follow` resolves is not missed. Only records signed by the services are handed on.
 */
import { v4 as uuidV4 } from 'uuid';
import type { Bus, BusRecord, Consumer, Position } from '#bus/bus.js';
import type { EventHead } from '#events/envelope.js';
import type { ServiceName } from '#events/services.js';
import { verifyRecord } from '#identity/records.js';
import type { PeerKeys } from '#identity/records.js';

/** A record whose signature has been verified, and whose key is the task it is about. */
export interface SignedRecord {
  topic: string;
  service: ServiceName;
  head: EventHead;
  value: Buffer | null;
}

export interface TailSettings {
  bus: Bus;
  /** Public keys of Mayfly's services. */
  peers: PeerKeys;
  topics: readonly string[];
  /** The consumer group; one of its own by default, because every follower must see every record. */
  group?: string;
  onRecord(record: SignedRecord): void;
  /** The subscription is dead: nothing more will be seen. */
  onLost(cause: Error): void;
}

const at = (place: { topic: string; partition: number }) => `${place.topic}/${place.partition}`;

export class Tail {
  readonly #settings: TailSettings;
  readonly #next: Map<string, Position>;
  #consumer: Consumer | undefined;
  #passedOver = 0;

  private constructor(settings: TailSettings, ends: readonly Position[]) {
    this.#settings = settings;
    this.#next = new Map(ends.map((end) => [at(end), end]));
  }

  /** Resolves once reading has begun. */
  static async follow(settings: TailSettings): Promise<Tail> {
    const tail = new Tail(settings, await settings.bus.ends(settings.topics));
    tail.#consumer = await settings.bus.subscribe({
      group: settings.group ?? `mayfly-tail-${uuidV4()}`,
      topics: settings.topics,
      positions: (assigned) => Promise.resolve(assigned.flatMap((place) => tail.#next.get(at(place)) ?? [])),
      onBatch: (records) => Promise.resolve(tail.#read(records)),
      onCrash: (cause) => settings.onLost(cause),
    });
    await tail.#consumer.ready();
    return tail;
  }

  /** How many records were passed over because no service of ours signed them. */
  get passedOver(): number {
    return this.#passedOver;
  }

  async close(): Promise<void> {
    await this.#consumer?.stop();
  }

  #read(records: readonly BusRecord[]): void {
    for (const record of records) {
      const { topic, partition } = record;
      this.#next.set(at(record), { topic, partition, next: record.offset + 1n });
      const verified = verifyRecord(record, this.#settings.peers);
      if (!verified.ok || record.key?.toString('utf8') !== verified.head.subject) this.#passedOver += 1;
      else
        this.#settings.onRecord({
          topic,
          service: verified.service,
          head: verified.head,
          value: record.value,
        });
    }
  }
}
