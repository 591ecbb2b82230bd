/** People outside the bus are told of what waits for them, and of what became of it; and who of them is. */
import { serviceSource } from '#events/services.js';
import type { FakeReceiver } from '../../test/fake-receiver.js';
import { ISSUER, type BrokerProcess, type World } from '../../test/harness.js';
import { NotifyWorld } from '../../test/notify-world.js';
import { nameReceivers, type Receiver } from './receivers.js';
import type { SlackMessage } from './slack-message.js';

const OLGA = 'user:olga@corp.example';
const NADIA = 'user:nadia@corp.example';

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
const task = () => notify.task();
const asked = () => notify.asked();
const suspend = (taskId: string, andThen?: () => Promise<void>) => notify.suspend(taskId, andThen);
const taken = (receiver?: string) => notify.taken(receiver);

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
