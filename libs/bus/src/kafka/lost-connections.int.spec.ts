/** Connections of a client end, all at once or just as it joins, as where a network or a proxy restarts: nobody gives up, nothing is skipped. */
import { randomUUID } from 'node:crypto';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { Bus, BusRecord, Consumer } from '../bus.js';
import { until } from '../contract-support.contract.js';
import { openKafka } from './kafka-bus.js';

const [kafka = ''] = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const KAFKA_PORT = Number(kafka.split(':').at(-1));
const CUTS = 30;
const TIMES = 2;
/** What a client asks, by its API key. */
const ASKED = { 'where its group is led': 10, 'to join': 11, 'for its partitions': 14 };
/** A request begins with its size, of four bytes. */
const API_KEY_AT = 4;

/** Between us and Kafka: passes on what both say, until it is told to end it all, or the client asks what is not to be asked. */
class Relay {
  #unheard = { apiKey: -1, times: 0 };
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(connect: (port: number) => Socket) {
    this.#server = net.createServer((client) => {
      this.#pass(client, connect(KAFKA_PORT));
    });
  }

  async open(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends all instead of passing this on, so many times. */
  cutWhereAsked(apiKey: number, times: number): void {
    this.#unheard = { apiKey, times };
  }

  /** How often that has still to be asked. */
  get yetToBeAsked(): number {
    return this.#unheard.times;
  }

  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.cut();
    this.#server.close();
  }

  #pass(client: Socket, server: Socket): void {
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (request) => {
      if (this.#isUnheard(request)) this.cut();
      else server.write(request);
    });
    client.on('end', () => server.end());
    server.pipe(client);
  }

  #isUnheard(request: Buffer): boolean {
    const { apiKey, times } = this.#unheard;
    if (times === 0 || request.length < API_KEY_AT + 2 || request.readInt16BE(API_KEY_AT) !== apiKey)
      return false;
    this.#unheard = { apiKey, times: times - 1 };
    return true;
  }
}

describe('a reader whose connections end again and again', () => {
  let relay: Relay;
  let bus: Bus;
  let consumer: Consumer;

  beforeAll(async () => {
    const connect = net.connect.bind(net) as (...how: unknown[]) => Socket;
    relay = new Relay((port) => connect(port, '127.0.0.1'));
    const port = await relay.open();
    // Kafka tells its clients its own address.
    jest
      .spyOn(net, 'connect')
      .mockImplementation(((how: { port: number }, ...rest: unknown[]) =>
        connect(how.port === KAFKA_PORT ? { ...how, port } : how, ...rest)) as typeof net.connect);
    bus = await openKafka({ brokers: [kafka], clientId: 'lost-connections-spec' });
  });
  afterEach(() => consumer.stop());
  afterAll(async () => {
    await bus.close();
    jest.restoreAllMocks();
    relay.close();
  });

  interface Reader {
    read: string[];
    crashes: Error[];
    /** Says as many, and waits until they are read. */
    say: (texts: readonly string[]) => Promise<void>;
  }

  async function reader(): Promise<Reader> {
    const topic = `lost-connections-${randomUUID()}`;
    await bus.ensureTopics([{ topic, partitions: 1, config: {} }]);
    const read: string[] = [];
    const crashes: Error[] = [];
    consumer = await bus.subscribe({
      group: `group-${randomUUID()}`,
      topics: [topic],
      positions: () => Promise.resolve([{ topic, partition: 0, next: BigInt(read.length) }]),
      onBatch: (records: readonly BusRecord[]) =>
        Promise.resolve(void read.push(...records.map(({ value }) => String(value)))),
      onCrash: (error) => void crashes.push(error),
    });
    await consumer.ready();
    const say = async (texts: readonly string[]) => {
      const before = read.length;
      await bus.publish(texts.map((text) => ({ topic, key: 'k', value: Buffer.from(text), headers: {} })));
      await until(() => read.length >= before + texts.length || crashes.length > 0);
    };
    return { read, crashes, say };
  }

  it('goes on reading where it was', async () => {
    const { read, crashes, say } = await reader();

    for (let n = 0; n < CUTS; n += 1) {
      await sleep(200);
      relay.cut();
      // And once more at another moment of its coming back each time.
      await sleep(n);
      relay.cut();
    }
    const wanted = Array.from({ length: 20 }, (_, n) => String(n));
    await say(wanted);

    expect(crashes).toEqual([]);
    expect(read).toEqual(wanted);
  });

  it.each(Object.entries(ASKED))('reads though they end as it asks %s', async (_, apiKey) => {
    relay.cutWhereAsked(apiKey, TIMES);
    const { read, crashes, say } = await reader();
    await say(['read']);

    expect(relay.yetToBeAsked).toBe(0);
    expect(crashes).toEqual([]);
    expect(read).toEqual(['read']);
  });
});
