/** kafkajs 2.2.4, with two repairs and a door. */
import { createRequire } from 'node:module';
import type * as Kafkajs from 'kafkajs';
import { foldHeaders, type Header } from '../fold-headers.js';

interface DecoderPrototype {
  readVarIntArray: (this: DecoderPrototype, read: (decoder: unknown) => Header) => Header[];
}

const require = createRequire(import.meta.url);

/**
 * It gathers the headers of a record by copying the object for each of them, which takes time with the square of their number: one
 * record of 100 kB with 20,000 headers held a reader for 87 seconds, past its session, for ever. Here the fold is linear; what it makes is
 * the same.
 */
function foldLinearly(): void {
  const { prototype } = require('kafkajs/src/protocol/decoder.js') as { prototype: DecoderPrototype };
  const { readVarIntArray } = prototype;
  prototype.readVarIntArray = function (this: DecoderPrototype, read) {
    const headers = readVarIntArray.call(this, read);
    // Reducing it to an object is the one thing kafkajs does with this array.
    headers.reduce = () => foldHeaders(headers) as never;
    return headers;
  };
}

interface RequestQueuePrototype {
  readonly pending: readonly unknown[];
  /** When Kafka takes requests again, in ms since the epoch; in the past: it takes them. */
  readonly throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

const CHECK_AGAIN_MS = 10;

/**
 * From its first answer on each connection looks a thousand times a second, for ever, for requests that wait, though none does: the time to
 * the next look is counted from a throttling that there never was, and a time in the past is one millisecond to Node. Here it looks where
 * a request waits. It was 20 ms of each second of every service that had nothing to do.
 */
function lookOnlyWhereRequestsWait(): void {
  const { prototype } = require('kafkajs/src/network/requestQueue/index.js') as {
    prototype: RequestQueuePrototype;
  };
  prototype.scheduleCheckPendingRequests = function (this: RequestQueuePrototype) {
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const throttledMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : CHECK_AGAIN_MS,
    );
  };
}

foldLinearly();
lookOnlyWhereRequestsWait();

export const kafkajs = require('kafkajs') as typeof Kafkajs;

/** What its clients are made of; of a pinned release, whose types do not tell of it. */
interface Cluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  findGroupCoordinator(of: { groupId: string }): Promise<{
    leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown>;
  }>;
}

/** Connections of one's own, for a request that no client of kafkajs makes. @throws TypeError with another release of kafkajs */
export function clusterOf(kafka: Kafkajs.Kafka): Cluster {
  const maker = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  );
  const make = maker && (kafka as unknown as Record<symbol, (options: object) => Cluster>)[maker];
  if (make === undefined) throw new TypeError('this release of kafkajs makes its clusters in another way');
  return make({ allowAutoTopicCreation: false });
}
