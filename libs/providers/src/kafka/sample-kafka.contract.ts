/**
 * A Kafka for integration specs: with an authorizer, topics, and the two logins that docs/providers/kafka tells a user to make; and
 * agents that use what they were lent by a client of their own.
 */
import {
  alterUserScramCredentialsV0,
  Connection,
  createAclsV3,
  deleteAclsV3,
  describeUserScramCredentialsV0,
} from '@platformatic/kafka';
import { v7 } from 'uuid';
import { kafkaCredential } from '#agent/kafka-credential.js';
import { kafkajs } from '#bus/kafka/client.js';
import { createLog } from '#telemetry/log.js';
import { startKafkaTarget, type KafkaTarget } from '../../../../test/support/kafka-target.mjs';
import { principalOf } from '../postgres/name.js';
import type { z } from 'zod';
import type {
  AgentSession,
  ProviderHarness,
  TargetFeatures,
  WiredTarget,
} from '../conformance/harness.contract.js';
import type { CredentialProvider, KafkaCredential, Plan } from '../provider.js';
import { Secret } from '../secret.js';
import { openKafka } from './kafka-provider.js';
import { everyAclOf } from './look.js';
import { PATTERN, PERMISSION } from './rights.js';
import { saltedPassword } from './scram.js';
import { kafkaSettings } from './settings.js';

export const ORDERS = 'spec.orders';
export const ARCHIVE = 'spec.orders_archive-2025';
export const SALARIES = 'hr.salaries';
/** Java and Kafka, on a machine that others use. */
export const STARTS_WITHIN_MS = 240_000;
const NAMESPACE = 'spk';
/** A name and a password as somebody may choose them: SCRAM escapes the first, and clients must not trip over the second. */
const BROKER = { user: 'mayfly,broker=1', password: 'it\'s "p,w=1" %?' };
const REVOKER = { user: 'mayfly_revoker', password: 'n,r=c' };

/** What the kit holds it to. */
export const kafkaFeatures: TargetFeatures = {
  ...{ asksServer: true, knowsPrincipals: true, keepsSessions: false },
  ...{ refusesLateCreate: false, findsLateCreate: true },
  ...{ wired: true, restart: 'keeps', restores: true },
  rights: [
    {
      rights: [`write:topic:${ORDERS}`],
      permits: ['write orders'],
      forbids: ['read orders', 'write archive', 'write salaries', 'make a topic'],
    },
    {
      rights: ['write:topics:spec.'],
      permits: ['write orders', 'write archive'],
      forbids: ['read orders', 'write salaries', 'make a topic'],
    },
    {
      rights: [`read:topic:${ORDERS}`, 'own-groups'],
      permits: ['read orders'],
      forbids: ['read orders as billing', 'read archive', 'write orders', 'read salaries'],
    },
    {
      rights: ['read:topics:spec.', 'read:group:billing'],
      permits: ['read orders as billing'],
      forbids: ['read orders', 'read orders as billing-2', 'read salaries'],
    },
    {
      rights: [`read:topic:${ARCHIVE}`, `write:topic:${ORDERS}`, 'read:groups:bill'],
      permits: ['read archive as billing', 'write orders'],
      forbids: ['read archive', 'read orders as billing', 'write archive'],
    },
  ],
};

export interface Change {
  brokers?: string;
  /** Of TLS. */
  ca?: string;
  user?: string;
  scram?: 'scram-sha-256';
}

export interface SampleKafka extends ProviderHarness<KafkaCredential> {
  target: KafkaTarget;
  wire: WiredTarget;
  /** Everything the adapters have logged. */
  logged: string[];
  /** One more adapter, by the proxy or with other settings. */
  open: (change?: Change) => CredentialProvider;
  plan: (change?: Partial<Plan>) => Plan;
  created: (plan: Plan, provider?: CredentialProvider) => Promise<KafkaCredential>;
  agent: (credential: KafkaCredential) => Agent;
  /** Super user. */
  administrator: Administrator;
}

/** @param options.id of the target in plans and settings; `events` unless told */
export async function openSampleKafka({ id = 'events' } = {}): Promise<SampleKafka> {
  const target = await startKafkaTarget();
  const administrator = await Administrator.connect(target);
  await administrator.createTopics([ORDERS, ARCHIVE, SALARIES]);
  for (const { user, password } of [BROKER, REVOKER]) await administrator.createLogin(user, password);

  // Something to read.
  for (const topic of [ORDERS, ARCHIVE, SALARIES]) await administrator.produce(topic);
  const logged: string[] = [];
  const log = createLog('providers-spec', { level: 'trace', write: (line) => logged.push(line) });
  const opened: CredentialProvider[] = [];
  const open: SampleKafka['open'] = ({ user = BROKER.user, ...change } = {}) => {
    const login = [BROKER, REVOKER].find((each) => each.user === user) ?? { user, password: 'wrong' };
    const provider = openKafka(
      kafkaSettings.parse(asWritten(id, login, { brokers: target.address, ...change })),
      log,
    );
    opened.push(provider);
    return provider;
  };
  const broker = open();
  const agents: Agent[] = [];
  const agent = (credential: KafkaCredential) => {
    const next = new Agent(credential);
    agents.push(next);
    return next;
  };
  return {
    ...{ target, logged, open, agent, administrator, broker },
    revoker: open({ user: REVOKER.user }),
    unreachable: open({ brokers: '127.0.0.1:1' }),
    plan: (change) => planOf({ target: id, ...change }),
    restart: () => target.restart(),
    backUp: () => target.backUp(),
    wire: {
      ...target.wired,
      settings: (process, port) =>
        asWritten(id, process === 'broker' ? BROKER : REVOKER, { brokers: `127.0.0.1:${port}` }),
    },
    principalIn: ({ connection }) => connection.username,
    async login(credential): Promise<AgentSession> {
      const client = agent(credential);
      await client.login();
      return {
        use: () => client.produce(ORDERS),
        overreach: () => client.produce(SALARIES),
        act: (name) => actOf(client, name),
        close: () => client.close(),
      };
    },
    async created(plan, provider = broker) {
      const answer = await provider.create(plan);
      if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
      if (answer.credential.kind !== 'kafka') throw new Error('another kind was created');
      return answer.credential;
    },
    async close() {
      await Promise.all(agents.map((each) => each.close()));
      await Promise.all(opened.map((provider) => provider.close()));
      await administrator.close();
      await target.stop();
    },
  };
}

const asWritten = (
  id: string,
  login: { user: string; password: string },
  { brokers = '', ca, scram }: Change,
): z.input<typeof kafkaSettings> => ({
  ...{ id, provider: 'kafka', maxTtlMs: 900_000, namespace: NAMESPACE, login },
  connection: { brokers, tls: ca === undefined ? { mode: 'disable' } : { mode: 'verify-full', ca } },
  ...(scram === undefined ? {} : { scram }),
});

const TOPICS: Record<string, string> = { orders: ORDERS, archive: ARCHIVE, salaries: SALARIES };

/** `write orders`, `read orders`, `read orders as billing`: in a group of one's own unless it is said in which. */
async function actOf(client: Agent, name: string): Promise<unknown> {
  const [verb, what = '', , group] = name.split(' ');
  if (verb === 'make') return await client.produce('spec.new');
  const topic = TOPICS[what] ?? '';
  return verb === 'write' ? await client.produce(topic) : await client.read(topic, group);
}

export function planOf(change: Partial<Plan> = {}): Plan {
  const leaseId = change.leaseId ?? v7();
  const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
  return {
    ...{ leaseId, provider: 'kafka', target: 'events', principal: principalOf(NAMESPACE, leaseId) },
    rights: [`write:topic:${ORDERS}`],
    ...{ createBy: inMs(10_000), notAfter: inMs(120_000), hardEnd: inMs(600_000) },
    ...change,
  };
}

const NO_RETRIES = { retries: 0 };

/** Somebody with a credential, and an ordinary client. */
export class Agent {
  readonly #kafka: InstanceType<typeof kafkajs.Kafka>;
  readonly #producer;
  readonly #closing: (() => Promise<unknown>)[] = [];

  constructor(private readonly credential: KafkaCredential) {
    const inUse = kafkaCredential({ leaseId: v7(), notAfter: new Date().toISOString(), ...credential }, () =>
      Promise.reject(new Error('nobody renews')),
    );
    this.#kafka = new kafkajs.Kafka({
      clientId: 'agent',
      ...inUse.connection,
      connectionTimeout: 3_000,
      retry: NO_RETRIES,
      logLevel: kafkajs.logLevel.NOTHING,
    });
    this.#producer = this.#kafka.producer({
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: NO_RETRIES,
    });
  }

  get ownGroup(): string {
    return `${this.credential.connection.username}-reader`;
  }

  /** Rejects where the login is refused. */
  login(): Promise<void> {
    return (this.#loggedIn ??= this.#producer.connect());
  }
  #loggedIn: Promise<void> | undefined;

  /** Logs in where that is not done. Rejects where it may not, or could not. */
  async produce(topic: string, value = 'x'): Promise<unknown> {
    await this.login();
    return await this.#producer.send({ topic, acks: -1, timeout: 5_000, messages: [{ value }] });
  }

  /** Reads from the start, once. Resolves with what came first, rejects where it may not. */
  async read(topic: string, groupId = this.ownGroup): Promise<string> {
    const reading = this.follow(topic, groupId);
    try {
      return await reading.first;
    } finally {
      await reading.stop();
    }
  }

  /**
   * Reads from the start, and goes on.
   * @param onValue told of each record
   * @param waitMs how long a fetch waits at the broker for something to come in
   * @returns `first` rejects where it may not
   */
  follow(
    topic: string,
    groupId = this.ownGroup,
    onValue: (value: string) => void = () => undefined,
    waitMs = 100,
  ) {
    const consumer = this.#kafka.consumer({
      ...{ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: waitMs, sessionTimeout: 10_000 },
      retry: { retries: 4, initialRetryTime: 100, restartOnFailure: () => Promise.resolve(false) },
    });
    const stop = () => consumer.disconnect().catch(() => undefined);
    this.#closing.push(stop);
    const first = new Promise<string>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      const eachMessage = ({ message }: { message: { value: Buffer | null } }) => {
        const value = message.value?.toString() ?? '';
        onValue(value);
        resolve(value);
        return Promise.resolve();
      };
      consumer
        .connect()
        .then(() => consumer.subscribe({ topic, fromBeginning: true }))
        .then(() => consumer.run({ autoCommit: true, eachMessage }))
        .catch(reject);
    });
    first.catch(() => undefined);
    return { first, stop };
  }

  async close(): Promise<void> {
    await Promise.all(
      [() => this.#producer.disconnect(), ...this.#closing.splice(0)].map((end) =>
        end().catch(() => undefined),
      ),
    );
  }
}

/** Who needs no login (`test/support/kafka-target.mjs`). */
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
