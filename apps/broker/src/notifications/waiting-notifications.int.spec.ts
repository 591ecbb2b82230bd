/** What waits to be told outlives brokers, is sent by one of several, and does not wait for ever. */
import type { FakeReceiver } from '../../test/fake-receiver.js';
import type { BrokerProcess, World } from '../../test/harness.js';
import { idsOf, NotifyWorld } from '../../test/notify-world.js';
import { claimNotifications, GIVEN_UP_AFTER_MS, MAX_BACKLOG } from './notification-rows.js';
import type { Receiver } from './receivers.js';

let notify: NotifyWorld;
let world: World;
let pager: FakeReceiver;
let broker: BrokerProcess;
beforeEach(async () => {
  notify = await NotifyWorld.open();
  ({ world, pager } = notify);
});
afterEach(() => notify.close());

const webhook = (change?: Parameters<NotifyWorld['webhook']>[0]) => notify.webhook(change);
const begin = async (...receivers: Receiver[]) => {
  broker = await notify.begin(...receivers);
};
const open = async (...receivers: Receiver[]) => {
  broker = await notify.open(...receivers);
};
const task = () => notify.task();
const asked = () => notify.asked();
const suspend = (taskId: string, andThen?: () => Promise<void>) => notify.suspend(taskId, andThen);
const waiting = (receiver?: string) => notify.waiting(receiver);
const settled = async () => (await broker.parts.notifying.measures.settled.get()).values;
const taken = (receiver?: string) => notify.taken(receiver);

describe('what waits', () => {
  const only = () => webhook({ events: ['approval.requested'] });

  it('is written in the commit of its event: a broker that dies before it is sent leaves it to the next', async () => {
    await open(only());
    await asked();
    await broker.die();
    expect(pager.got).toEqual([]);
    await begin(only());
    await taken();
    expect(pager.got).toHaveLength(1);
  });

  it('is not there where its event was rolled back', async () => {
    await open(webhook());
    const taskId = await task();
    const rollBack = () => Promise.reject(new Error('rolled back'));
    await expect(suspend(taskId, rollBack)).rejects.toThrow('rolled back');
    expect(await waiting()).toBe(0);
    await suspend(taskId);
    expect(await waiting()).toBe(1);
  });

  it('is sent again with the same id by another broker, when the one that was sending it died', async () => {
    await open(only());
    await asked();
    // It has taken it to send it, and is killed before the answer comes.
    const [claimed] = await claimNotifications(world.schema.db, 'pager', 4, 300);
    await broker.die();
    await begin(only());
    await world.until(() => pager.got.length > 0, 'the other broker');
    expect(idsOf(pager)).toEqual([claimed?.notice.id]);
    await taken();
  });

  it('is sent once where several brokers send', async () => {
    await begin(only());
    await begin(only());
    await begin(only());
    for (let n = 0; n < 12; n += 1) await asked();
    await world.until(async () => pager.got.length >= 12 && (await waiting()) === 0, 'all of them');
    expect(new Set(idsOf(pager)).size).toBe(12);
    expect(pager.got).toHaveLength(12);
  });

  it('is bounded for each receiver: the oldest goes, and that is said', async () => {
    await world.query(
      `INSERT INTO notification (receiver, event_id, notice, due_at)
         SELECT 'pager', n::text, '{}', now() + interval '1 hour' FROM generate_series(1, $1) AS n`,
      [MAX_BACKLOG + 3],
    );
    await open(only());
    await broker.broker.notifier.bound();
    expect(await waiting()).toBe(MAX_BACKLOG);
    expect(await world.query('SELECT event_id FROM notification ORDER BY id LIMIT 1')).toEqual([
      { event_id: '4' },
    ]);
    expect(world.logged.join('')).toContain('a receiver is too far behind');
    expect(await settled()).toEqual([{ labels: { receiver: 'pager', how: 'full' }, value: 3 }]);
  });

  it('is given up after a day, and that is said', async () => {
    await world.query(
      `INSERT INTO notification (receiver, event_id, notice, due_at, told_at)
         SELECT 'pager', n::text, '{}', now() + interval '1 hour', now() - n * interval '1 millisecond'
           FROM unnest($1::float8[]) AS n`,
      [[GIVEN_UP_AFTER_MS + 1_000, GIVEN_UP_AFTER_MS - 60_000]],
    );
    await open(only());
    await broker.broker.notifier.bound();
    expect(await waiting()).toBe(1);
    expect(world.logged.join('')).toContain('a receiver was away too long');
    expect(await settled()).toEqual([{ labels: { receiver: 'pager', how: 'given_up' }, value: 1 }]);
  });
});
