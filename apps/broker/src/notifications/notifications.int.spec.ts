/**
 * People outside the bus are told, whatever receivers do: at least once, with the same id, signed; by one of several brokers; and
 * nothing that is decided waits for it. What is received is verified by the receiver of the how-to.
 */
import { createSecretKey } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { v7 as uuidv7 } from 'uuid';
import { webhookKey } from '#config/notifications.js';
import { NOTIFIED_TYPES } from '#events/notified-types.js';
import { serviceSource } from '#events/services.js';
import { transact } from '#store/database.js';
import { verifyWebhook } from '../../../../examples/support/webhook.js';
import { ISSUER, World, type BrokerProcess } from '../../test/harness.js';
import { suspendParked } from '../suspend-task.js';
import { UnitOfWork } from '../unit-of-work.js';
import type { Notice } from './notice.js';
import { claimNotifications, GIVEN_UP_AFTER_MS, MAX_BACKLOG } from './notification-rows.js';
import { nameReceivers, type Receiver } from './receivers.js';
import type { SlackMessage } from './slack-message.js';

const OLGA = 'user:olga@corp.example';
const NADIA = 'user:nadia@corp.example';
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const key = createSecretKey(webhookKey(SECRET)!);
const WRITES = { tool: 'sql.query', dataset: 'crm.orders', actions: ['read', 'write'] };
/** Failures are over soon. */
const SOON = { firstMs: 10, longestMs: 40, lookEveryMs: 50 };

/** Takes what comes, or answers otherwise. */
class FakeReceiver {
  readonly got: { path: string; headers: IncomingMessage['headers']; body: Buffer; atMs: number }[] = [];
  answer: (response: ServerResponse) => void = (response) => response.writeHead(204).end();
  private constructor(private readonly server: Server) {}

  static async open(): Promise<FakeReceiver> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        fake.got.push({ path, headers, body: Buffer.concat(parts), atMs: Date.now() });
        fake.answer(response);
      });
    });
    const fake = new FakeReceiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/s3cret-path`;
  }

  /** What came and is from Mayfly. */
  get notices(): (Notice & { links: { approval?: string } })[] {
    return this.got.map(({ headers, body, atMs }) => {
      const verified = verifyWebhook(SECRET, headers, body, atMs);
      if (verified === undefined) throw new Error('a notification does not verify');
      expect(headers['webhook-id']).toBe(verified.id);
      return verified as unknown as Notice & { links: { approval?: string } };
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

let world: World;
let pager: FakeReceiver;
let silent: FakeReceiver;
let broker: BrokerProcess;
beforeEach(async () => {
  world = await World.open();
  pager = await FakeReceiver.open();
  silent = await FakeReceiver.open();
});
afterEach(async () => {
  await world.close();
  await pager.close();
  await silent.close();
});

const webhook = (change: Partial<Pick<Receiver, 'id' | 'url' | 'events' | 'tenants'>> = {}): Receiver => ({
  id: 'pager',
  kind: 'webhook',
  url: pager.url,
  events: [...NOTIFIED_TYPES],
  key,
  ...change,
});

/** A broker that tells these, or one more. */
async function begin(...receivers: Receiver[]): Promise<void> {
  await open(...receivers);
  broker.broker.notifier.start();
}

/** One that does not come to send anything. */
async function open(...receivers: Receiver[]): Promise<void> {
  world.notify = { pace: SOON, ...world.notify, receivers };
  broker = await world.start();
}

async function task(): Promise<string> {
  const taskId = uuidv7();
  await broker.hear(await world.voices.starts(taskId, { declared: [WRITES] }));
  await world.hears(taskId, 'task.accepted');
  return taskId;
}

/** A call for which people are asked. */
async function asked() {
  const taskId = await task();
  await broker.hear(await world.voices.calls(taskId, { action: 'write' }));
  const [requested] = await world.hears(taskId, 'approval.requested');
  return { taskId, requested: requested! };
}
const suspend = (taskId: string, andThen = () => Promise.resolve()) =>
  transact(world.schema.db, async (tx) => {
    const work = await UnitOfWork.begin(tx, { taskIds: [taskId] });
    suspendParked(work, taskId, undefined, work.nowMs);
    await work.flush('specs');
    await andThen();
  });
const waiting = async (receiver = 'pager') =>
  (await world.query('SELECT FROM notification WHERE receiver = $1', [receiver])).length;
const settled = async () => (await broker.parts.notifying.measures.settled.get()).values;
const idsOf = ({ got }: FakeReceiver) => got.map(({ headers }) => headers['webhook-id']);
const taken = (receiver?: string) =>
  world.until(async () => (await waiting(receiver)) === 0, 'the receiver to take all');

describe('a webhook', () => {
  it('is told what waits for people, with what a yes would be bound to, and what became of it', async () => {
    await begin(webhook());
    const { taskId, requested } = await asked();
    const { approvalId, callDigest, binds, expiresAt } = requested;
    await broker.broker.approvals.answer(approvalId, { is: 'grant', by: OLGA, callDigest, reason: 'seen' });
    await world.until(() => pager.got.length >= 2, 'both');

    const [first, second] = pager.notices.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(first).toMatchObject({
      ...{
        type: 'approval.requested',
        taskId,
        agent: requested.agent,
        action: 'write',
        dataset: 'crm.orders',
      },
      approval: { id: approvalId, state: 'open', binds, expiresAt, needed: 1, callDigest, grants: [] },
      links: { approval: `${ISSUER}/v1/approvals/${approvalId}` },
    });
    expect(first?.policies).toContain('guard.write-approval');
    expect(second).toMatchObject({
      ...{ type: 'approval.granted', taskId, by: OLGA, reason: 'seen', tool: 'sql.query' },
      approval: { id: approvalId, grants: [OLGA] },
    });
    await taken();
  });

  it.each([
    ['approval.refused', { is: 'refuse' }, { by: NADIA }],
    ['approval.withdrawn', { is: 'withdraw' }, { by: NADIA }],
    ['break_glass.used', { is: 'grant', breakGlass: 'the shop is down' }, { reason: 'the shop is down' }],
  ] as const)('is told of %s', async (type, answer, says) => {
    await begin(webhook({ events: [type] }));
    const { requested } = await asked();
    const { approvalId, callDigest } = requested;
    const said = answer.is === 'grant' ? { ...answer, callDigest } : answer;
    await broker.broker.approvals.answer(approvalId, { ...said, by: NADIA });
    await world.until(() => pager.got.length > 0, type);

    expect(pager.notices).toMatchObject([{ type, approval: { id: approvalId }, ...says }]);
  });

  it('is told that nobody answered in time', async () => {
    world.approvals.expiresMs = 0;
    await begin(webhook({ events: ['approval.expired'] }));
    await asked();
    await broker.broker.approvals.lapse();
    await world.until(() => pager.got.length > 0, 'the expiry');
    expect(pager.notices).toMatchObject([
      { type: 'approval.expired', why: 'time', approval: { state: 'expired' } },
    ]);
  });

  it('is told of a task that is suspended, and why', async () => {
    await begin(webhook());
    const taskId = await task();
    await suspend(taskId);
    await world.until(() => pager.got.length > 0, 'the suspension');
    expect(pager.notices).toMatchObject([
      { type: 'task.suspended', taskId, generation: 2, cause: 'parked', actor: serviceSource('broker') },
    ]);
  });
});

describe('a chat', () => {
  it('is told in words, without a signature and without a button', async () => {
    await begin({ id: 'chat', kind: 'slack', url: pager.url, events: ['approval.requested'] });
    const { requested } = await asked();
    await world.until(() => pager.got.length > 0, 'the message');
    const { headers, body } = pager.got[0]!;
    const message = JSON.parse(body.toString()) as SlackMessage;
    expect(message.text).toContain(`mayfly approve ${requested.approvalId}`);
    expect(message.blocks.map(({ type }) => type)).toEqual(['header', 'section', 'section', 'section']);
    expect(headers).not.toHaveProperty('webhook-signature');
  });
});

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

describe('who is told', () => {
  it('is who wants this event, of this tenant', async () => {
    await begin(
      webhook({ id: 'ours', events: ['approval.requested'], tenants: ['sample'] }),
      webhook({ id: 'others', tenants: ['another'] }),
      webhook({ id: 'suspensions', events: ['task.suspended'] }),
    );
    await asked();
    await world.until(() => pager.got.length > 0, 'the one');
    expect(await world.query('SELECT receiver FROM notification WHERE receiver <> $1', ['ours'])).toEqual([]);
    await taken('ours');
    expect(pager.got).toHaveLength(1);
  });

  it('is who the configuration names now, and nobody else', async () => {
    await begin(webhook());
    await nameReceivers(world.schema.db, []);
    await asked();
    expect(await world.query('SELECT FROM notification')).toEqual([]);
  });
});
