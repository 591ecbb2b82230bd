/** Creates topics, and checks those that exist. */
import type { Admin } from 'kafkajs';
import type { Log } from '#telemetry/log.js';
import { BusError, type TopicToEnsure } from '../bus.js';
import { kafkajs } from './client.js';

/**
 * The broker stores records uncompressed, whatever their producer did. Any agent could otherwise end every reader with one
 * batch in a codec this client has not, or with a small one that unpacks to gigabytes.
 */
const READABLE = { 'compression.type': 'uncompressed' };

/** Settings that change what a record means to its reader: they MUST be as wanted. Others are only told. */
const STRICT = new Set(['message.timestamp.type', 'compression.type']);

/** @throws BusError ERR_TOPIC_MISCONFIGURED */
export async function ensureTopics(admin: Admin, wanted: readonly TopicToEnsure[], log: Log): Promise<void> {
  const topics = wanted.map((topic) => ({ ...topic, config: { ...READABLE, ...topic.config } }));
  const existing = new Set(await admin.listTopics());
  const missing = topics.filter(({ topic }) => !existing.has(topic));
  if (missing.length > 0) {
    const replication = replicationOn((await admin.describeCluster()).brokers.length);
    // Another service may do the same at the same time; kafkajs then answers false, and the check below sees the result.
    await admin.createTopics({
      topics: missing.map(({ topic, partitions, config }) => ({
        topic,
        numPartitions: partitions,
        replicationFactor: replication.factor,
        configEntries: Object.entries({ ...replication.config, ...config }).map(([name, value]) => ({
          name,
          value,
        })),
      })),
    });
  }
  await checkPartitions(admin, topics);
  await checkConfig(admin, topics, log);
}

/** Three copies of which two must have a record, wherever there are three brokers; else what the cluster can. */
export const replicationOn = (brokers: number): { factor: number; config: Record<string, string> } =>
  brokers >= 3 ? { factor: 3, config: { 'min.insync.replicas': '2' } } : { factor: 1, config: {} };

async function checkPartitions(admin: Admin, wanted: readonly TopicToEnsure[]): Promise<void> {
  const found = await admin.fetchTopicMetadata({ topics: wanted.map(({ topic }) => topic) });
  const counts = new Map(found.topics.map(({ name, partitions }) => [name, partitions.length]));
  for (const { topic, partitions } of wanted) {
    const count = counts.get(topic) ?? 0;
    if (count !== partitions) throw misconfigured(topic, 'partitions', partitions, count);
  }
}

async function checkConfig(admin: Admin, wanted: readonly TopicToEnsure[], log: Log): Promise<void> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: wanted.map(({ topic, config }) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: Object.keys(config),
    })),
  });
  for (const { topic, config } of wanted) {
    const entries = resources.find(({ resourceName }) => resourceName === topic)?.configEntries ?? [];
    const found = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
    for (const [setting, value] of Object.entries(config)) {
      const actual = found.get(setting) ?? '';
      if (actual === value) continue;
      if (STRICT.has(setting)) throw misconfigured(topic, setting, value, actual);
      log.warn({ topic, setting, wanted: value, found: actual }, 'topic setting differs');
    }
  }
}

const misconfigured = (topic: string, setting: string, wanted: string | number, found: string | number) =>
  new BusError('ERR_TOPIC_MISCONFIGURED', 'a topic is not as it must be', { topic, setting, wanted, found });
