/** Receivers do what they like: they are told at least once, with the same id, signed; and nothing that is decided waits for it. */
import { FakeReceiver } from '../../test/fake-receiver.js';
import type { BrokerProcess, World } from '../../test/harness.js';
import { idsOf, NotifyWorld, SOON } from '../../test/notify-world.js';
import type { Receiver } from './receivers.js';

let notify: NotifyWorld;
let world: World;
let pager: FakeReceiver;
let silent: FakeReceiver;
let broker: BrokerProcess;
beforeEach(async () => {
  notify = await NotifyWorld.open();
  ({ world, pager } = notify);
  silent = await FakeReceiver.open();
});
afterEach(async () => {
  await notify.close();
  await silent.close();
});

const webhook = (change?: Parameters<NotifyWorld['webhook']>[0]) => notify.webhook(change);
const begin = async (...receivers: Receiver[]) => {
  broker = await notify.begin(...receivers);
};
const asked = () => notify.asked();
const waiting = (receiver?: string) => notify.waiting(receiver);
const taken = (receiver?: string) => notify.taken(receiver);

describe('a receiver that', () => {
  const only = () => webhook({ events: ['approval.requested'] });

  it('fails twice is told again, with the same id and the same words', async () => {
    await begin(only());
    let left = 2;
    pager.answer = (response) => response.writeHead((left -= 1) >= 0 ? 500 + left : 200).end();
    await asked();
    await world.until(() => pager.got.length === 3, 'three attempts');
    await taken();

    expect(new Set(idsOf(pager)).size).toBe(1);
    expect(new Set(pager.got.map(({ body }) => body.toString())).size).toBe(1);
    expect(pager.notices).toHaveLength(3);
  });

  it('never answers holds up neither what is decided nor another receiver', async () => {
    silent.answer = () => undefined;
    world.notify.pace = { ...SOON, answerWithinMs: 300 };
    await begin(only(), webhook({ id: 'silent', url: silent.url, events: ['approval.requested'] }));
    const { taskId } = await asked();
    await world.until(() => silent.got.length > 0, 'the silent one to be told');
    await broker.hear(await world.voices.calls(taskId));
    await world.hears(taskId, 'lease.issued');
    await taken();

    await world.until(() => silent.got.length >= 2, 'a second attempt');
    expect(new Set(idsOf(silent)).size).toBe(1);
    expect(await waiting('silent')).toBe(1);
  });

  it('redirects is not followed', async () => {
    await begin(only());
    pager.answer = (response) => response.writeHead(307, { location: '/elsewhere' }).end();
    await asked();
    await world.until(() => pager.got.length >= 2, 'two attempts');
    expect(new Set(pager.got.map(({ path }) => path))).toEqual(new Set(['/s3cret-path']));
    expect(await waiting()).toBe(1);
  });

  it('answers with ten megabytes, or without end, is not read', async () => {
    await begin(only());
    let closed: Promise<void> | undefined;
    pager.answer = (response) => {
      closed = new Promise((resolve) => response.on('close', resolve));
      const write = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536)));
      };
      response.writeHead(200).on('drain', write);
      write();
    };
    await asked();
    await taken();
    await closed;
    expect(pager.got).toHaveLength(1);
  });

  it('hung up without an answer may have heard: it is told again with the same id', async () => {
    await begin(only());
    pager.answer = (response) => {
      pager.answer = (later) => later.writeHead(200).end();
      response.destroy();
    };
    await asked();
    await taken();
    expect(pager.got).toHaveLength(2);
    expect(new Set(idsOf(pager)).size).toBe(1);
  });

  it('is away is told of in the log and in a metric, but not where it is or with which secret', async () => {
    await begin(only());
    pager.answer = (response) => response.writeHead(401).end('who are you?');
    await asked();
    await world.until(() => pager.got.length >= 2, 'two attempts');
    const [failed] = (await broker.parts.notifying.measures.failed.get()).values;
    expect(failed).toMatchObject({ labels: { receiver: 'pager' }, value: expect.any(Number) as number });
    const logged = world.logged.join('');
    expect(logged).toContain('a receiver does not take a notification');
    expect(logged).not.toMatch(/s3cret-path|whsec_|who are you/);
  });
});
