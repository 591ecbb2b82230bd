/** How to reach a Kafka cluster, and the client's settings with the reason for each. */
import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type ConnectionOptions } from 'node:tls';
import type { ConsumerConfig, KafkaConfig, ProducerConfig, SASLOptions } from 'kafkajs';
import type { Log } from '#telemetry/log.js';
import { BusError, type Subscription } from '../bus.js';
import { clientLog } from './client-log.js';
import { kafkajs } from './client.js';
import { tellingAssigner } from './dead-members.js';

export interface KafkaSettings {
  /** `host:port` of some brokers; the others are learnt from them. */
  brokers: readonly string[];
  /** Shown in the broker's logs and quotas. */
  clientId: string;
  /** The password MUST NOT be logged. */
  sasl?: { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string };
  /** PEM files. Without `ca`, the roots of Node; `cert` and `key` for mutual TLS. */
  tls?: { enabled: boolean; ca?: string; cert?: string; key?: string };
}

export const HEARTBEAT_MS = 1_000;
/** Below the time a group waits for its members, a join would be cut off while it waits. */
const REBALANCE_TIMEOUT_MS = 15_000;
const REQUEST_TIMEOUT_MS = 20_000;

/** A reader waits for a broker's restart (about 14 s) before it ends its process; who publishes is told within 4 s. */
const RETRY = {
  reader: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 10 },
  writer: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 5 },
};

/** @throws BusError ERR_BUS_TLS_FILE */
export async function clientConfig(
  settings: KafkaSettings,
  purpose: keyof typeof RETRY,
  log: Log,
): Promise<KafkaConfig> {
  const ssl = await tlsOf(settings.tls);
  return {
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    connectionTimeout: 5_000,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY[purpose],
    ...(ssl === undefined ? {} : { ssl }),
    ...(settings.sasl === undefined ? {} : { sasl: settings.sasl as SASLOptions }),
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => clientLog(log),
  };
}

async function tlsOf(tls: KafkaSettings['tls']): Promise<ConnectionOptions | undefined> {
  if (tls === undefined || !tls.enabled) return undefined;
  const [ca, cert, key] = await Promise.all([pem('ca', tls.ca), pem('cert', tls.cert), pem('key', tls.key)]);
  const options = {
    ...(ca === undefined ? {} : { ca: [ca] }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
  try {
    createSecureContext(options);
    // OpenSSL lets a `ca` without any certificate pass, and then trusts nobody.
    if (ca !== undefined) new X509Certificate(ca);
  } catch {
    // No cause: it could quote the text, which may be a private key.
    throw new BusError('ERR_BUS_TLS_FILE', 'the files of bus.kafka.tls hold no PEM that belongs together');
  }
  return options;
}

async function pem(key: 'ca' | 'cert' | 'key', file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const what = { key: `bus.kafka.tls.${key}`, file };
    throw new BusError('ERR_BUS_TLS_FILE', 'a file of bus.kafka.tls cannot be read', what, { cause });
  }
}

/** `acks: -1` and one request in flight keep the order; the partitioner is murmur2, as in the Java client. */
export const producerConfig = (): ProducerConfig => ({
  idempotent: true,
  maxInFlightRequests: 1,
  allowAutoTopicCreation: false,
  createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  retry: RETRY.writer,
});

export const consumerConfig = ({
  group,
  process,
}: Pick<Subscription, 'group' | 'process'>): ConsumerConfig => ({
  groupId: group,
  ...(process === undefined ? {} : { partitionAssigners: [tellingAssigner(process.id)] }),
  /** Takeover of a killed process takes this long where nobody starts in its place; 6 s is the least a broker allows by default. */
  sessionTimeout: 6_000,
  heartbeatInterval: HEARTBEAT_MS,
  rebalanceTimeout: REBALANCE_TIMEOUT_MS,
  minBytes: 1,
  /** A stop waits for the poll under way. */
  maxWaitTimeInMs: 150,
  maxBytesPerPartition: 1_048_576,
  allowAutoTopicCreation: false,
  /**
   * Whoever may write could otherwise hold back everyone's records of a partition with a transaction left open. A record
   * of an aborted transaction was said all the same.
   */
  readUncommitted: true,
  // It would begin again where a handler has failed: who subscribed decides (`JoiningAnew`).
  retry: { ...RETRY.reader, restartOnFailure: () => Promise.resolve(false) },
});
