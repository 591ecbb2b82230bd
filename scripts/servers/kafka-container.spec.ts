import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { findEngine, IMAGES } from './docker.mjs';
import {
  containerEnvironment,
  containerName,
  removeKafkaVolume,
  startKafkaContainer,
} from './kafka-container.mjs';
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
  let kafka: { port: number; close: () => void };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mayfly-container-'));
    kafka = await startCoordinator();
  });
  afterEach(() => {
    kafka.close();
    rmSync(folder, { recursive: true });
  });

  const start = (engine: FakeEngine, port: number, onSpawn: (child: object) => Promise<void>) =>
    startKafkaContainer({
      engine,
      name: 'mayfly-kafka-a',
      port,
      logFile: join(folder, 'logs', 'kafka.log'),
      log: () => undefined,
      onSpawn,
    });

  it('is published on loopback only, keeps its records in a volume, and takes the place of one left behind', async () => {
    const engine = new FakeEngine();
    const spawned: object[] = [];

    const { brokers, child } = await start(engine, kafka.port, (one) => {
      spawned.push(one);
      return Promise.resolve();
    });

    expect(brokers).toBe(`127.0.0.1:${kafka.port}`);
    expect(spawned).toEqual([child]);
    expect(child).toMatchObject({ name: 'kafka', pid: null });
    expect(engine.removed).toEqual(['mayfly-kafka-a']);
    expect(engine.created).toMatchObject({
      image: IMAGES.kafka,
      name: 'mayfly-kafka-a',
      mounts: [{ source: 'mayfly-kafka-a', target: '/var/lib/kafka/data' }],
      hostConfig: { PortBindings: { '9092/tcp': [{ HostIp: '127.0.0.1', HostPort: String(kafka.port) }] } },
    });

    const stopped = await (child as { stop: () => Promise<unknown> }).stop();

    expect(stopped).toEqual({ code: 143, signal: null });
    expect((child as { end: () => unknown }).end()).toEqual(stopped);
    expect(readFileSync(join(folder, 'logs', 'kafka.log'), 'utf8')).toBe('Kafka Server started\n');
  });

  it('that loses its port to another program says so, and another port is taken', async () => {
    const engine = new FakeEngine('(HTTP code 500) server error - port is already allocated');

    await expect(start(engine, 7092, () => Promise.resolve())).rejects.toMatchObject({
      message: expect.stringContaining('port is already allocated') as string,
      portTaken: true,
    });
  });

  it('that another engine keeps cannot be removed with its state, which is said', async () => {
    await expect(removeKafkaVolume(null, 'mayfly-kafka-a')).rejects.toThrow(Problem);
  });
});

/** Answers as a group coordinator that is loaded: FindCoordinator without an error, Heartbeat with UNKNOWN_MEMBER_ID. */
async function startCoordinator(): Promise<{ port: number; close: () => void }> {
  const server = createServer((socket) => {
    socket.on('data', (request) => {
      const answer = Buffer.alloc(10);
      answer.writeInt32BE(6, 0);
      answer.writeInt16BE(request.readInt16BE(4) === 10 ? 0 : 25, 8);
      socket.write(answer);
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}

/** As much of testcontainers as is used. */
class FakeEngine {
  readonly removed: string[] = [];
  created: object = {};
  #end: (status: { StatusCode: number }) => void = () => undefined;
  readonly #ended = new Promise<{ StatusCode: number }>((resolve) => (this.#end = resolve));
  readonly client = {
    container: {
      getById: (name: string) => ({
        wait: () => this.#ended,
        remove: () => {
          this.removed.push(name);
          return Promise.reject(Object.assign(new Error('no such container'), { statusCode: 404 }));
        },
      }),
    },
  };
  readonly testcontainers: object;

  /** @param failure what the engine says at the start; none unless told */
  constructor(failure?: string) {
    const created = (what: object) => void (this.created = what);
    const end = () => this.#end({ StatusCode: 143 });
    class GenericContainer {
      hostConfig = { PortBindings: { '9092/tcp': [{ HostPort: '7092' }] } };
      name = '';
      mounts: object[] = [];
      #consume: (lines: Readable) => unknown = () => undefined;
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
      withLogConsumer(consume: (lines: Readable) => unknown): this {
        this.#consume = consume;
        return this;
      }
      withExposedPorts = (): this => this;
      withEnvironment = (): this => this;
      withWaitStrategy = (): this => this;
      async start(): Promise<object> {
        await this.beforeContainerCreated?.();
        created(this);
        if (failure !== undefined) throw new Error(failure);
        const lines = Readable.from(['Kafka Server started\n']);
        const logged = this.#consume(lines) as Writable;
        const stop = async () => {
          await finished(logged);
          end();
        };
        return { getId: () => 'a1b2', stop };
      }
    }
    this.testcontainers = { GenericContainer, Wait: { forLogMessage: () => ({}) } };
  }
}
