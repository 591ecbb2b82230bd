import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findEngine, IMAGES } from './docker.mjs';
import { containerEnvironment, containerName, startKafkaContainer } from './kafka-container.mjs';
import { KAFKA_VERSION } from './kafka-jars.mjs';
import { Problem } from './problem.mjs';

it('is the version of Kafka that the local Java would run', () => {
  expect(IMAGES.kafka).toBe(`apache/kafka:${KAFKA_VERSION}`);
});

it('tells clients the port of the host, and speaks to itself on one that the host does not have', () => {
  expect(containerEnvironment(7092)).toMatchObject({
    KAFKA_LISTENERS: 'PLAINTEXT://0.0.0.0:9092,INTERNAL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093',
    KAFKA_ADVERTISED_LISTENERS: 'PLAINTEXT://127.0.0.1:7092,INTERNAL://127.0.0.1:9094',
    KAFKA_INTER_BROKER_LISTENER_NAME: 'INTERNAL',
    KAFKA_LOG_DIRS: '/var/lib/kafka/data',
    KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
    KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
  });
});

it('is called after its state folder, so that two of them never share a volume', () => {
  expect(containerName('/a/.mayfly')).toMatch(/^mayfly-kafka-[0-9a-f]{16}$/);
  expect(containerName('/b/.mayfly')).not.toBe(containerName('/a/.mayfly'));
});

it('is not looked for where MAYFLY_DOCKER says so', async () => {
  expect(await findEngine({ MAYFLY_DOCKER: '0' })).toBeNull();
});

describe('the container', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'mayfly-container-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is published on loopback only, keeps its records in a volume, and takes the place of one left behind', async () => {
    const engine = new FakeEngine('(HTTP code 500) server error - port is already allocated');

    const start = startKafkaContainer({
      engine,
      name: 'mayfly-kafka-a',
      port: 7092,
      logFile: join(folder, 'kafka.log'),
      log: () => undefined,
      onSpawn: () => Promise.resolve(),
    });

    await expect(start).rejects.toMatchObject({
      message: expect.stringContaining('port is already allocated') as string,
      portTaken: true,
    });
    expect(engine.removed).toEqual(['mayfly-kafka-a']);
    expect(engine.created).toMatchObject({
      image: IMAGES.kafka,
      name: 'mayfly-kafka-a',
      mounts: [{ source: 'mayfly-kafka-a', target: '/var/lib/kafka/data' }],
      hostConfig: { PortBindings: { '9092/tcp': [{ HostIp: '127.0.0.1', HostPort: '7092' }] } },
    });
  });

  it('that another engine keeps cannot be removed with its state, which is said', async () => {
    const { removeKafkaVolume } = await import('./kafka-container.mjs');

    await expect(removeKafkaVolume(null, 'mayfly-kafka-a')).rejects.toThrow(Problem);
  });
});

/** As much of testcontainers as is used; its `start` fails as the engine says. */
class FakeEngine {
  readonly removed: string[] = [];
  created: object = {};
  readonly client = {
    container: {
      getById: (name: string) => ({
        remove: () => {
          this.removed.push(name);
          return Promise.reject(Object.assign(new Error('no such container'), { statusCode: 404 }));
        },
      }),
    },
  };
  readonly testcontainers: object;

  constructor(failure: string) {
    const created = (what: object) => void (this.created = what);
    class GenericContainer {
      hostConfig = { PortBindings: { '9092/tcp': [{ HostPort: '7092' }] } };
      name = '';
      mounts: object[] = [];
      constructor(readonly image: string) {}
      beforeContainerCreated?(): Promise<void>;
      withName(name: string): this {
        this.name = name;
        return this;
      }
      withBindMounts(mounts: object[]): this {
        this.mounts = mounts;
        return this;
      }
      withExposedPorts = (): this => this;
      withEnvironment = (): this => this;
      withWaitStrategy = (): this => this;
      withLogConsumer = (): this => this;
      async start(): Promise<never> {
        await this.beforeContainerCreated?.();
        created(this);
        throw new Error(failure);
      }
    }
    this.testcontainers = { GenericContainer, Wait: { forLogMessage: () => ({}) } };
  }
}
