/**
 * The topics of the bus: who writes them is in `docs/design`, how they are created is here.
 * Partition counts never change in place, because keys would move: a change is a new topic version.
 */
import type { ServiceName } from './services.js';

export const TASK_EVENTS = 'mayfly.task.events.v1';
export const CREDENTIAL_EVENTS = 'mayfly.credential.events.v1';
export const DELIVERY = 'mayfly.credential.delivery.v1';
export const REVOCATIONS = 'mayfly.revocations.v1';
export const CHECKPOINTS = 'mayfly.audit.checkpoints.v1';

export interface TopicSpec {
  topic: string;
  partitions: number;
  /** Broker-side settings, in Kafka's own names. */
  config: Record<string, string>;
}

const DAY_MS = 86_400_000;
const minutes = (n: number) => String(n * 60_000);
const days = (n: number) => String(n * DAY_MS);

/** Dead letters of one consumer group for one topic: raw bytes as received. */
export const deadLetterTopic = (group: string, topic: string) => `${group}.${topic}.dlq`;

/** What each service reads, and so may fail to handle. */
const READ_BY: Record<ServiceName, readonly string[]> = {
  broker: [TASK_EVENTS, CREDENTIAL_EVENTS],
  revoker: [TASK_EVENTS, CREDENTIAL_EVENTS],
  auditor: [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS],
};

/** Every topic the services use, with retention as promised in `docs/design`. */
export function topicSpecs(groups: readonly ServiceName[]): TopicSpec[] {
  const events = { partitions: 12, config: { 'retention.ms': days(7), 'cleanup.policy': 'delete' } };
  const deadLetters = groups.flatMap((group) =>
    READ_BY[group].map((topic) => ({
      topic: deadLetterTopic(group, topic),
      partitions: 12,
      config: { 'retention.ms': days(14) },
    })),
  );
  return [
    {
      topic: TASK_EVENTS,
      ...events,
      config: { ...events.config, 'message.timestamp.type': 'LogAppendTime' },
    },
    { topic: CREDENTIAL_EVENTS, ...events },
    { topic: DELIVERY, partitions: 12, config: { 'retention.ms': minutes(60), 'cleanup.policy': 'delete' } },
    {
      topic: REVOCATIONS,
      partitions: 1,
      config: { 'cleanup.policy': 'compact', 'segment.ms': minutes(10) },
    },
    {
      topic: CHECKPOINTS,
      partitions: 1,
      config: { 'cleanup.policy': 'compact', 'min.compaction.lag.ms': days(7) },
    },
    ...deadLetters,
  ];
}
