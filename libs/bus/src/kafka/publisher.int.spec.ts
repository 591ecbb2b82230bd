/**
 * The answer to a send is lost, the send fails, the caller goes on. The records may be in the log; the next ones MUST
 * be. kafkajs gives the next records the sequence numbers of the lost ones, and the broker would take them for a repetition.
 */
import { randomUUID } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { createLog } from '#telemetry/log.js';
import type { Bus, OutgoingRecord } from '../bus.js';
import { readAll } from '../contract-support.contract.js';
import { kafkajs } from './client.js';
import { openKafka } from './kafka-bus.js';
import { Publisher } from './publisher.js';

const brokers = (process.env['KAFKA_BROKERS'] ?? '').split(',');
const silent = createLog('test', { level: 'silent' });

/** Sockets whose answers can be lost: what arrives then is thrown away and the connection is cut. */
class Network {
  losing = false;

  readonly open = ({
    host,
    port,
    onConnect,
  }: {
    host: string;
    port: number;
    onConnect: () => void;
  }): Socket => {
    const socket = connect({ host, port }, onConnect);
    socket.setKeepAlive(true, 60_000);
    const on = socket.on.bind(socket) as (event: string, listener: (...args: never[]) => void) => Socket;
    socket.on = ((event: string, listener: (data: Buffer) => void) =>
      on(
        event,
        event === 'data' ? (data: Buffer) => this.#receive(socket, data, listener) : listener,
      )) as never;
    return socket;
  };

  #receive(socket: Socket, data: Buffer, listener: (data: Buffer) => void): void {
    if (this.losing) socket.destroy(new Error('the connection was cut'));
    else listener(data);
  }
}

describe('a publisher whose answers are lost', () => {
  let bus: Bus;
  let topic: string;

  beforeAll(async () => {
    bus = await openKafka({ brokers, clientId: 'publisher' });
    topic = `publisher-${randomUUID()}`;
    await bus.ensureTopics([{ topic, partitions: 1, config: {} }]);
  });
  afterAll(() => bus.close());

  const record = (text: string): OutgoingRecord => ({
    topic,
    key: 'k',
    value: Buffer.from(text),
    headers: {},
  });

  it('says so, and the records after it are in the log once they are acknowledged', async () => {
    const network = new Network();
    const kafka = new kafkajs.Kafka({
      brokers,
      connectionTimeout: 30_000,
      retry: { initialRetryTime: 50, retries: 1 },
      logLevel: kafkajs.logLevel.NOTHING,
      socketFactory: network.open,
    });
    const publisher = new Publisher(kafka, silent);
    await publisher.publish([record('first')]);

    network.losing = true;
    const lost = publisher.publish([record('answer lost')]);
    await expect(lost).rejects.toMatchObject({ name: 'BusError', code: 'ERR_BUS_UNREACHABLE' });
    network.losing = false;
    await publisher.publish([record('next')]);
    await publisher.close();

    const texts = (await readAll(bus, topic, 3)).map(({ value }) => String(value));
    expect(texts[0]).toBe('first');
    expect(texts).toContain('answer lost');
    expect(texts.at(-1)).toBe('next');
  });

  it('refuses records once it is closed', async () => {
    const publisher = new Publisher(new kafkajs.Kafka({ brokers }), silent);
    await publisher.close();

    await expect(publisher.publish([record('late')])).rejects.toMatchObject({ code: 'ERR_BUS_UNREACHABLE' });
  });
});
