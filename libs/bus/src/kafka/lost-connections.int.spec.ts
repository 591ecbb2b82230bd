/** All connections of a client end at once, again and again, as where a network or a proxy restarts: nobody gives up, nothing is skipped. */
import { randomUUID } from 'node:crypto';
import net, { type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { jest } from '@jest/globals';
import type { Bus, BusRecord } from '../bus.js';
import { until } from '../contract-support.contract.js';
import { openKafka } from './kafka-bus.js';

const [kafka = ''] = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const KAFKA_PORT = Number(kafka.split(':').at(-1));
const CUTS = 30;

/** Between us and Kafka: passes on what both say, until it is told to end it all. */
class Relay {
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
    client.pipe(server).pipe(client);
  }
}

describe('a reader whose connections end again and again', () => {
  let relay: Relay;
  let bus: Bus;

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
  afterAll(async () => {
    await bus.close();
    jest.restoreAllMocks();
    relay.close();
  });

  it('goes on reading where it was', async () => {
    const topic = `lost-connections-${randomUUID()}`;
    await bus.ensureTopics([{ topic, partitions: 1, config: {} }]);
    const read: string[] = [];
    const crashes: Error[] = [];
    const consumer = await bus.subscribe({
      group: `group-${randomUUID()}`,
      topics: [topic],
      positions: () => Promise.resolve([{ topic, partition: 0, next: BigInt(read.length) }]),
      onBatch: (records: readonly BusRecord[]) =>
        Promise.resolve(void read.push(...records.map(({ value }) => String(value)))),
      onCrash: (error) => void crashes.push(error),
    });
    await consumer.ready();

    for (let n = 0; n < CUTS; n += 1) {
      await sleep(200);
      relay.cut();
      // And once more at another moment of its coming back each time.
      await sleep(n);
      relay.cut();
    }
    const wanted = Array.from({ length: 20 }, (_, n) => String(n));
    await bus.publish(wanted.map((text) => ({ topic, key: 'k', value: Buffer.from(text), headers: {} })));
    await until(() => read.length >= wanted.length || crashes.length > 0);

    expect(crashes).toEqual([]);
    expect(read).toEqual(wanted);
  });
});
