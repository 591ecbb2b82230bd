/** kafkajs 2.2.4, with two repairs, three parts of ours and a door. */
import { createRequire } from 'node:module';
import type * as Kafkajs from 'kafkajs';
import { decodingInParts, type DecodeBatch } from './decode-batch.js';
import { decodeRecord } from './decode-record.js';
import { encodeRecord } from './encode-record.js';

const require = createRequire(import.meta.url);

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

const LEAST_BYTES = 64;

interface EncoderPrototype {
  buf: Buffer;
  offset: number;
  ensureAvailable(bytes: number): void;
}

/** What is written is written over: no zeros first. What is asked for by itself is a few fields, mostly. */
function encodeWithoutZeros(): void {
  const encoder = require('kafkajs/src/protocol/encoder.js') as {
    nextPowerOfTwo: (bytes: number) => number;
    prototype: EncoderPrototype;
  };
  // How much a new encoder is given: nothing yet.
  encoder.nextPowerOfTwo = () => 0;
  encoder.prototype.ensureAvailable = function (this: EncoderPrototype, bytes) {
    const needed = this.offset + bytes;
    if (needed <= this.buf.length) return;
    const grown = Buffer.allocUnsafe(Math.max(LEAST_BYTES, 2 * this.buf.length, needed));
    this.buf.copy(grown, 0, 0, this.offset);
    this.buf = grown;
  };
}

/** Before anything of kafkajs that needs it is loaded. @throws TypeError with another release of kafkajs */
function replace(path: string, by: unknown): void {
  const resolved = require.resolve(path);
  require(resolved);
  const module = require.cache[resolved];
  if (module === undefined) throw new TypeError('this release of kafkajs has its parts elsewhere');
  module.exports = by;
}

lookOnlyWhereRequestsWait();
encodeWithoutZeros();
replace('kafkajs/src/protocol/recordBatch/record/v0/index.js', encodeRecord);
replace('kafkajs/src/protocol/recordBatch/record/v0/decoder.js', decodeRecord);
const BATCHES = 'kafkajs/src/protocol/recordBatch/v0/decoder.js';
replace(BATCHES, decodingInParts(require(BATCHES) as DecodeBatch));

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
