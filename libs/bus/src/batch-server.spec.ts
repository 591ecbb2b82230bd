import { Controller, UseFilters, type INestMicroservice } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { BatchServer, KeepCause } from './batch-server.js';
import type { Bus, BusRecord, LogEnd, Position, Subscription } from './bus.js';

/** A bus with one subscriber, which the test hands records to. */
class HandBus implements Bus {
  readonly subscriptions: Subscription[] = [];
  ready = true;
  stopped = 0;
  refusal: Error | undefined;

  publish = () => Promise.resolve();
  ensureTopics = () => Promise.resolve();
  ends = () => Promise.resolve<LogEnd[]>([]);
  close = () => Promise.resolve();

  subscribe(subscription: Subscription) {
    if (this.refusal !== undefined) return Promise.reject(this.refusal);
    this.subscriptions.push(subscription);
    return Promise.resolve({
      ready: () => Promise.resolve(),
      isReady: () => this.ready,
      stop: () => Promise.resolve(void (this.stopped += 1)),
    });
  }

  get subscription(): Subscription | undefined {
    return this.subscriptions[0];
  }

  hand(...records: BusRecord[]): Promise<void> {
    return this.subscription?.onBatch(records) ?? Promise.reject(new Error('nobody has subscribed'));
  }
}

const record = (topic: string, offset: bigint): BusRecord => ({
  topic,
  partition: 0,
  offset,
  appendedAtMs: 1_000,
  key: null,
  value: null,
  headers: {},
});

const taken: BusRecord[][] = [];

@UseFilters(new KeepCause())
@Controller()
class Handlers {
  @EventPattern('tasks')
  tasks(records: readonly BusRecord[]): void {
    taken.push([...records]);
  }

  @EventPattern('failures')
  async failures(records: readonly BusRecord[]): Promise<void> {
    await Promise.resolve();
    throw new RangeError(`cannot take ${records.length} records`);
  }
}

describe('the batch server', () => {
  const positions = () => Promise.resolve<Position[]>([]);
  const onCrash = () => undefined;
  let bus: HandBus;
  let server: BatchServer;
  let service: INestMicroservice;

  beforeEach(async () => {
    taken.length = 0;
    bus = new HandBus();
    server = new BatchServer({ bus, group: 'broker', positions, onCrash });
    const module = await Test.createTestingModule({ controllers: [Handlers] }).compile();
    service = module.createNestMicroservice({ strategy: server, logger: false });
  });
  afterEach(() => service.close());

  const gathering = async (gather: Record<string, number>) => {
    server = new BatchServer({ bus, group: 'broker', positions, onCrash, gather });
    const module = await Test.createTestingModule({ controllers: [Handlers] }).compile();
    service = module.createNestMicroservice({ strategy: server, logger: false });
    await service.listen();
    return bus.subscriptions.map(({ group, topics, gatherMs }) => [group, topics, gatherMs]);
  };

  it('reads topics that may gather by a group of their own, so that they hold nobody up', async () => {
    expect(await gathering({ failures: 50 })).toEqual([
      ['broker', ['tasks'], undefined],
      ['broker.gathered', ['failures'], 50],
    ]);
    expect(server.isReady()).toBe(true);
    await server.close();
    expect(bus.stopped).toBe(2);
  });

  it('needs one group where all may gather', async () => {
    expect(await gathering({ tasks: 100, failures: 100 })).toEqual([['broker', ['tasks', 'failures'], 100]]);
  });

  it('subscribes its group to the topics of all handlers', async () => {
    await service.listen();

    expect(bus.subscription).toMatchObject({
      group: 'broker',
      topics: ['tasks', 'failures'],
      positions,
      onCrash,
    });
  });

  it('hands a whole batch to the handler of its topic, as it came', async () => {
    await service.listen();
    const batch = [record('tasks', 7n), record('tasks', 8n)];

    await bus.hand(...batch);

    expect(taken).toEqual([batch]);
    expect(taken[0]?.[0]).toBe(batch[0]);
  });

  it('passes on what a handler throws, so that the bus delivers again', async () => {
    await service.listen();

    const handing = bus.hand(record('failures', 1n));

    await expect(handing).rejects.toThrow(new RangeError('cannot take 1 records'));
    await expect(handing).rejects.toBeInstanceOf(RangeError);
  });

  it('fails a batch that has no handler, instead of passing over it', async () => {
    await service.listen();

    await expect(bus.hand(record('other', 1n))).rejects.toThrow('no handler for `other`');
  });

  it('is ready when its consumer is', async () => {
    expect(server.isReady()).toBe(false);
    await service.listen();
    expect(server.isReady()).toBe(true);

    bus.ready = false;

    expect(server.isReady()).toBe(false);
  });

  it('does not start when the bus refuses the subscription', async () => {
    bus.refusal = new Error('no such topic');

    await expect(service.listen()).rejects.toThrow('no such topic');
  });

  it('stops its consumer when the application closes', async () => {
    await service.listen();

    await service.close();

    expect(bus.stopped).toBe(1);
  });
});
