import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bus, Subscription } from '#bus/bus.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import { RecordSigner, loadPeerKeys } from '#identity/records.js';
import type { PeerKeys } from '#identity/records.js';
import { Verdicts } from './verdicts.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const SENT = '0192f0a0-0000-7000-8000-0000000000aa';
const common = { taskId: TASK, generation: 1, actor: '//mayfly/broker', at: '2026-11-24T19:00:00.000Z' };
const ended = { ...common, causedBy: SENT, outcome: 'completed' };
const rejected = {
  ...common,
  code: 'ERR_NOT_ENTITLED',
  reason: 'the sender may not end this task',
  sender: 'spiffe://dev.mayfly/agent/analyst',
  record: { topic: 'mayfly.task.events.v1', partition: 0, offset: '7', valueSha256: 'ab', ceId: SENT },
};

/** Holds the one subscription, through which the test delivers. */
class FakeBus implements Bus {
  subscription: Subscription | undefined;
  subscribe(subscription: Subscription) {
    this.subscription = subscription;
    return Promise.resolve({
      ready: () => Promise.resolve(),
      isReady: () => true,
      stop: () => Promise.resolve(),
    });
  }
  ends = () => Promise.resolve([]);
  publish = () => Promise.resolve();
  ensureTopics = () => Promise.resolve();
  close = () => Promise.resolve();
}

describe('verdicts', () => {
  let folder: string;
  let peers: PeerKeys;
  let broker: RecordSigner;
  let bus: FakeBus;
  let verdicts: Verdicts;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'verdicts-'));
    const keys = await ensureServiceKeys(folder, { MAYFLY_ENV: 'development' });
    peers = await loadPeerKeys(keys);
    broker = await RecordSigner.fromFile(keys.broker.signingKey, 'broker');
  });
  afterAll(() => rm(folder, { recursive: true }));
  beforeEach(async () => {
    bus = new FakeBus();
    verdicts = await Verdicts.listen(bus, peers);
  });
  afterEach(() => verdicts.close());

  const deliver = (type: string, text: string) => {
    const head = {
      id: '0192f0a0-0000-7000-8000-0000000000f1',
      source: '//mayfly/broker',
      type: `dev.mayfly.${type}.v1`,
      subject: TASK,
      time: '2026-11-24T19:00:00.000Z',
      contentType: 'application/json',
    };
    const value = Buffer.from(text);
    const headers = broker.sign({ topic: CREDENTIAL_EVENTS, key: TASK, head, value }, 'epoch.1');
    return bus.subscription!.onBatch([
      {
        topic: CREDENTIAL_EVENTS,
        partition: 0,
        offset: 0n,
        appendedAtMs: 0,
        key: Buffer.from(TASK),
        value,
        headers,
      },
    ]);
  };

  it.each([
    ['task.ended', ended],
    ['event.rejected', rejected],
  ])('finds the %s that names the event', async (type, data) => {
    const verdict = verdicts.verdictOn(SENT, 1_000);
    await deliver(type, JSON.stringify(data));
    await expect(verdict).resolves.toMatchObject({ type, data });
  });

  it('is not taken in by the rejection of a forgery that copied the id', async () => {
    const { sender: _unknown, ...forged } = rejected;
    const verdict = verdicts.verdictOn(SENT, 1_000);
    await deliver('event.rejected', JSON.stringify(forged));
    await deliver('task.ended', JSON.stringify(ended));
    await expect(verdict).resolves.toMatchObject({ type: 'task.ended' });
  });

  it('tells of a rejection without a sender where nothing better comes', async () => {
    const { sender: _unknown, ...forged } = rejected;
    const verdict = verdicts.verdictOn(SENT, 50);
    await deliver('event.rejected', JSON.stringify(forged));
    await expect(verdict).resolves.toMatchObject({ type: 'event.rejected' });
  });

  it('passes over what names another event, or cannot be read', async () => {
    const verdict = verdicts.verdictOn(SENT, 20);
    await deliver('task.ended', JSON.stringify({ ...ended, causedBy: TASK }));
    await deliver('task.ended', '{"taskId":1}');
    await deliver('task.ended', 'no JSON');
    await deliver('task.unheard_of', JSON.stringify(ended));
    await expect(verdict).rejects.toMatchObject({ code: 'ERR_ANSWER_TIMEOUT' });
  });

  it('tells all who wait when the bus is gone', async () => {
    const verdict = verdicts.verdictOn(SENT, 1_000);
    bus.subscription!.onCrash(new Error('gone'));
    await expect(verdict).rejects.toMatchObject({ code: 'ERR_ANSWERS_LOST' });
  });
});
