/** The providers that the kit holds, each at a target of its own: `npm run conformance` runs it whole for each, and measures. */
import type { ProviderKind } from '#events/lease-plan.js';
import { harness as jwtHarness, jwtFeatures } from '../jwt/jwt-world.contract.js';
import { kafkaFeatures, openSampleKafka } from '../kafka/sample-kafka.contract.js';
import { openOwnTarget, postgresFeatures } from '../postgres/own-target.contract.js';
import { redisFeatures } from '../redis/redis-features.contract.js';
import { openRedisWorld, prefixOf } from '../redis/redis-world.contract.js';
import type { ProviderHarness, TargetFeatures } from './harness.contract.js';

// begin subject
export interface Subject {
  features: TargetFeatures;
  /** A target that keeps its data as a user's would. */
  open(): Promise<ProviderHarness>;
  /** What the figures were measured at. */
  target: string;
}
// end subject

export const SUBJECTS: Record<ProviderKind, Subject> = {
  postgres: {
    features: postgresFeatures,
    open: () => openOwnTarget({ durable: true }),
    target: 'PostgreSQL 18, one server, `fsync` on',
  },
  redis: {
    features: redisFeatures(prefixOf('rpk')),
    open: () => openRedisWorld('rpk'),
    target: 'Redis 7.0, a primary and a replica, nothing on disk',
  },
  jwt: {
    features: jwtFeatures,
    open: () => Promise.resolve(jwtHarness()),
    target:
      'a verifier in the same process, which hears at once; the way over the bus is `end-cut` in performance',
  },
  kafka: {
    features: kafkaFeatures,
    open: () => openSampleKafka(),
    target: 'Apache Kafka 4.3.1, one node, broker and controller in one, `StandardAuthorizer`, SCRAM-SHA-512',
  },
};
