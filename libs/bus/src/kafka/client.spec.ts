import { createRequire } from 'node:module';
import './client.js';

interface Queue {
  throttleCheckTimeoutId: unknown;
  push(request: object): void;
  fulfillRequest(answer: object): void;
  maybeThrottle(ms: number): void;
  destroy(): void;
}
type QueueConstructor = new (options: object) => Queue;

const RequestQueue = createRequire(import.meta.url)(
  'kafkajs/src/network/requestQueue/index.js',
) as QueueConstructor;
const silent = { debug: () => undefined, warn: () => undefined };

function world({ maxInFlightRequests = 1 } = {}) {
  const sent: number[] = [];
  const queue = new RequestQueue({
    ...{ maxInFlightRequests, requestTimeout: 1_000, enforceRequestTimeout: false, logger: silent },
    ...{ clientId: 'c', broker: 'b' },
  });
  const entry = (correlationId: number) => ({
    correlationId,
    resolve: () => undefined,
    reject: () => undefined,
  });
  return {
    ...{ queue, sent },
    push: (correlationId: number) =>
      queue.push({
        entry: entry(correlationId),
        expectResponse: true,
        sendRequest: () => sent.push(correlationId),
      }),
    answer: (correlationId: number) => queue.fulfillRequest({ correlationId, payload: Buffer.of(), size: 0 }),
  };
}

it('has no timer once everything is answered', () => {
  const { queue, push, answer } = world();
  push(1);
  answer(1);
  expect(queue.throttleCheckTimeoutId).toBeNull();
});

it('sends what waits for an answer when the answer comes', () => {
  const { queue, sent, push, answer } = world();
  push(1);
  push(2);
  expect(sent).toEqual([1]);
  answer(1);
  expect(sent).toEqual([1, 2]);
  queue.destroy();
});

it('looks again while a request waits for Kafka to take requests', async () => {
  const { queue, sent, push } = world({ maxInFlightRequests: 5 });
  queue.maybeThrottle(5);
  push(1);
  expect(sent).toEqual([]);
  expect(queue.throttleCheckTimeoutId).not.toBeNull();
  while (sent.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(queue.throttleCheckTimeoutId).toBeNull();
});
