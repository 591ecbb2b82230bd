import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus, BusRecord, Subscription } from '#bus/bus.js';
import { DELIVERY } from '#events/topics.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import { RecordSigner, loadPeerKeys } from '#identity/records.js';
import type { PeerKeys } from '#identity/records.js';
import { Answers } from './answers.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const CALL = '0192f0a0-0000-7000-8000-000000000002';
const AGENT = 'spiffe://dev.mayfly/agent/analyst';
const call = { taskId: TASK, callId: CALL, agent: AGENT, sealKid: 'a-seal-key' };
const refusal = Buffer.from(
  JSON.stringify({ taskId: TASK, callId: CALL, agent: AGENT, code: 'ERR_TASK_ENDED', reasons: ['over'] }),
);

/** One partition in memory, of which only the end is read. */
class FakeBus implements Bus {
  subscription: Subscription | undefined;
  stopped = false;
  startedAt: bigint | undefined;
  #end = 7n;

  async subscribe(subscription: Subscription) {
    this.subscription = subscription;
    const [position] = await subscription.positions([{ topic: DELIVERY, partition: 0 }]);
    this.startedAt = position?.next;
    return {
      ready: () => Promise.resolve(),
      isReady: () => true,
      stop: () => {
        this.stopped = true;
        return Promise.resolve();
      },
    };
  }
  ends() {
    return Promise.resolve([{ topic: DELIVERY, partition: 0, next: this.#end, oldest: 0n }]);
  }
  async deliver(record: Pick<BusRecord, 'key' | 'value' | 'headers'>) {
    const at = { topic: DELIVERY, partition: 0, offset: this.#end++, appendedAtMs: 1_795_546_800_000 };
    await this.subscription!.onBatch([{ ...at, ...record }]);
  }
  publish = () => Promise.resolve();
  ensureTopics = () => Promise.resolve();
  close = () => Promise.resolve();
}

describe('answers', () => {
  let folder: string;
  let peers: PeerKeys;
  let broker: RecordSigner;
  let bus: FakeBus;
  let answers: Answers;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'answers-'));
    const keys = await ensureServiceKeys(folder, { MAYFLY_ENV: 'development' });
    peers = await loadPeerKeys(keys);
    broker = await RecordSigner.fromFile(keys.broker.signingKey, 'broker');
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    bus = new FakeBus();
    answers = await Answers.listen({ bus, peers });
  });
  afterEach(() => answers.close());

  const signed = (key: string, value: Buffer) => {
    const head = {
      id: '0192f0a0-0000-7000-8000-0000000000f1',
      source: '//mayfly/broker',
      type: 'dev.mayfly.call.refused.v1',
      subject: TASK,
      time: '2026-11-24T19:00:00.000Z',
      contentType: 'application/json',
    };
    return {
      key: Buffer.from(key),
      value,
      headers: broker.sign({ topic: DELIVERY, key, head, value }, 'epoch.1'),
    };
  };

  it('begins at the end of the topic', () => {
    expect(bus.startedAt).toBe(7n);
  });

  it('goes on where it was when its partitions are given to it again', async () => {
    await bus.deliver(signed(TASK, refusal));
    const again = await bus.subscription!.positions([{ topic: DELIVERY, partition: 0 }]);
    expect(again).toEqual([{ topic: DELIVERY, partition: 0, next: 8n }]);
  });

  it('gives the answer that the broker signed', async () => {
    const answer = answers.answerOf(call, 1_000);
    await bus.deliver(signed(TASK, refusal));
    await expect(answer).resolves.toEqual({
      answer: 'refused',
      code: 'ERR_TASK_ENDED',
      reasons: ['over'],
    });
  });

  it.each([
    ['unsigned', () => ({ ...signed(TASK, refusal), headers: {} })],
    ['changed after it was signed', () => ({ ...signed(TASK, refusal), value: Buffer.from('{}') })],
    ['under the key of another task', () => signed('0192f0a0-0000-7000-8000-0000000000ee', refusal)],
  ])('takes no answer that is %s', async (_what, forged) => {
    const answer = answers.answerOf(call, 20);
    await bus.deliver(forged());
    await expect(answer).rejects.toMatchObject({
      code: 'ERR_ANSWER_TIMEOUT',
      message: 'no answer came in time',
    });
  });

  it('tells all who wait when the bus is gone', async () => {
    const answer = answers.answerOf(call, 1_000);
    bus.subscription!.onCrash(new Error('gone'));
    await expect(answer).rejects.toMatchObject({ code: 'ERR_ANSWERS_LOST' });
    await expect(answers.answerOf(call, 1_000)).rejects.toMatchObject({ code: 'ERR_ANSWERS_LOST' });
  });

  it('leaves the bus when it is closed', async () => {
    await answers.close();
    expect(bus.stopped).toBe(true);
  });
});
