/** The administrator of a Kafka for specs, who needs no login there (`test/support/kafka-target.mjs`). */
import {
  alterUserScramCredentialsV0,
  Connection,
  createAclsV3,
  deleteAclsV3,
  describeUserScramCredentialsV0,
} from '@platformatic/kafka';
import { kafkajs } from '#bus/kafka/client.js';
import type { KafkaTarget } from '../../../../test/support/kafka-target.mjs';
import { Secret } from '../secret.js';
import { everyAclOf } from './look.js';
import { PATTERN, PERMISSION } from './rights.js';
import { saltedPassword } from './scram.js';

export class Administrator {
  private constructor(
    private readonly connection: Connection,
    private readonly admin: ReturnType<InstanceType<typeof kafkajs.Kafka>['admin']>,
    private readonly producer: ReturnType<InstanceType<typeof kafkajs.Kafka>['producer']>,
  ) {}

  static async connect({ anonymous: { host, port } }: KafkaTarget): Promise<Administrator> {
    const connection = new Connection('administrator');
    await connection.connect(host, port);
    const kafka = new kafkajs.Kafka({ brokers: [`${host}:${port}`], logLevel: kafkajs.logLevel.NOTHING });
    const admin = kafka.admin();
    await admin.connect();
    const createPartitioner = kafkajs.Partitioners.DefaultPartitioner;
    return new Administrator(connection, admin, kafka.producer({ createPartitioner }));
  }

  async createTopics(topics: readonly string[]): Promise<void> {
    await this.admin.createTopics({
      topics: topics.map((topic) => ({ topic, numPartitions: 1, replicationFactor: 1 })),
      waitForLeaders: true,
    });
  }

  async produce(topic: string, value = 'first'): Promise<void> {
    await this.producer.connect();
    await this.producer.send({ topic, messages: [{ value }] });
  }

  async createUser(user: string, password: string): Promise<void> {
    const salted = await saltedPassword(new Secret(password), 'scram-sha-512', 4_096);
    await alterUserScramCredentialsV0.api.async(this.connection, [], [{ name: user, ...salted }]);
  }

  async hasCredential(user: string): Promise<boolean> {
    const { results } = await describeUserScramCredentialsV0.api.async(this.connection, []);
    return results.some((each) => each.user === user);
  }

  async removeAcls(user: string): Promise<void> {
    await deleteAclsV3.api.async(this.connection, [everyAclOf(user)]);
  }

  /** As docs/providers/kafka says: ALTER and DESCRIBE on the cluster, and nothing else. */
  async createLogin(user: string, password: string): Promise<void> {
    await this.createUser(user, password);
    const cluster = {
      resourceType: CLUSTER,
      resourceName: 'kafka-cluster',
      resourcePatternType: PATTERN.LITERAL,
    };
    await this.allow(
      user,
      [ALTER, DESCRIBE].map((operation) => ({ ...cluster, operation })),
    );
  }

  async allow(user: string, bindings: readonly object[]): Promise<void> {
    const who = { principal: `User:${user}`, host: '*', permissionType: PERMISSION.ALLOW };
    await createAclsV3.api.async(
      this.connection,
      bindings.map((binding) => ({ ...who, ...binding })) as Parameters<typeof createAclsV3.api.async>[1],
    );
  }

  /** The end of a topic: how many records it ever got. */
  async end(topic: string): Promise<number> {
    const [partition] = await this.admin.fetchTopicOffsets(topic);
    return Number(partition?.offset ?? 0);
  }

  async close(): Promise<void> {
    await this.connection.close();
    await this.admin.disconnect();
    await this.producer.disconnect();
  }
}

const CLUSTER = 4;
const ALTER = 7;
const DESCRIBE = 8;
