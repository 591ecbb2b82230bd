/** Somebody with a Kafka credential, and an ordinary client. */
import { v7 } from 'uuid';
import { kafkaCredential } from '#agent/kafka-credential.js';
import { kafkajs } from '#bus/kafka/client.js';
import type { KafkaCredential } from '../provider.js';

const NO_RETRIES = { retries: 0 };

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
      connectionTimeout: 30_000,
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
    return await this.#producer.send({ topic, acks: -1, timeout: 30_000, messages: [{ value }] });
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
   * @param onFetch told before it asks for more
   * @returns `first` rejects where it may not
   */
  follow(
    topic: string,
    groupId = this.ownGroup,
    onValue: (value: string) => void = () => undefined,
    waitMs = 100,
    onFetch: () => void = () => undefined,
  ) {
    const consumer = this.#kafka.consumer({
      ...{ groupId, allowAutoTopicCreation: false, maxWaitTimeInMs: waitMs, sessionTimeout: 60_000 },
      retry: { retries: 4, initialRetryTime: 100, restartOnFailure: () => Promise.resolve(false) },
    });
    consumer.on(consumer.events.FETCH_START, onFetch);
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
