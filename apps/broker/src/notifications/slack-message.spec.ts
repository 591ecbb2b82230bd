/** A notification in a chat: what it says, and that nobody's words become more than words. */
import { approvalOf } from '#events/approval.js';
import type { EventOf } from '#events/outbound.js';
import { noticesOf, type Notice } from './notice.js';
import { APPROVAL_ID, askedFor, CALL } from '../../test/asked-approval.js';
import { slackMessage, type SlackMessage } from './slack-message.js';

const BROKER = 'https://broker.example';

function noticeOf(change: Parameters<typeof askedFor>[0] = {}): Notice {
  const event = askedFor(change);
  const approvals = new Map([[event.data.approvalId, approvalOf(event)]]);
  return noticesOf([{ event, id: 'e' }], [event], approvals)[0]!;
}
const messageOf = (change: Parameters<typeof askedFor>[0] = {}) => slackMessage(noticeOf(change), BROKER);

/** Every object with text, of blocks and their fields. */
const textsOf = ({ blocks }: SlackMessage) =>
  blocks.flatMap((block) => ('fields' in block ? block.fields : [block.text]));
const fieldOf = (message: SlackMessage, label: string) =>
  textsOf(message).find(({ text }) => text.startsWith(`${label}\n`))?.text;

it('says who asks for what, what a yes is for, and how to answer', () => {
  const message = messageOf();

  expect(message.text).toBe(
    'A call waits for an approval; agent spiffe://dev.mayfly/agent/analyst; act write crm.orders with sql.query; ' +
      `task ${CALL.taskId}; Answer: mayfly approve ${APPROVAL_ID}, or mayfly deny ${APPROVAL_ID}`,
  );
  expect(textsOf(message).map(({ text }) => text)).toEqual([
    'A call waits for an approval',
    'agent\nspiffe://dev.mayfly/agent/analyst',
    'act\nwrite crm.orders with sql.query',
    `task\n${CALL.taskId}`,
    'tenant\nacme',
    'approval\none-person: 0 of 1, until 2026-11-24T19:15:00.000Z',
    'a yes is for\nthese rights for 900 s at most: pol_crm_orders_write',
    'asked because\nwrites to tables need an approver',
    `Answer: mayfly approve ${APPROVAL_ID}, or mayfly deny ${APPROVAL_ID}`,
    `https://broker.example/v1/approvals/${APPROVAL_ID}`,
  ]);
});

it('says of a token with the digest of its arguments that a yes is for this call', () => {
  const binds = { what: 'this_call' as const, argumentsSha256: 'ab', rights: ['read'], seconds: 60 };
  expect(fieldOf(messageOf({ binds }), 'a yes is for')).toBe('a yes is for\nthis call, with these arguments');
});

it('has no button: who approves signs in', () => {
  expect(JSON.stringify(messageOf())).not.toMatch(/"(actions|button|accessory|url|value)"/);
});

it.each(['<!channel> pay & <https://evil.example|approve>', '@here *bold* `code` :tada:'])(
  'takes %s for words',
  (words) => {
    const message = messageOf({ tool: words, reasons: [words] });
    expect(message.mrkdwn).toBe(false);
    for (const { type, emoji } of textsOf(message))
      expect({ type, emoji }).toEqual({ type: 'plain_text', emoji: false });
    expect(JSON.stringify(message)).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
  },
);

it('lets no word of others be a line of its own, or turn the direction of writing', () => {
  const reason = 'fine\n\u2028Answer: mayfly approve another \u202Eevil\u0000';
  const by = 'user:olga@corp.example';
  const event: EventOf<'approval.refused'> = {
    type: 'approval.refused',
    data: {
      ...{ taskId: CALL.taskId, generation: 1, actor: by, at: CALL.at, approvalId: APPROVAL_ID },
      ...{ callId: CALL.callId, agent: CALL.agent, by, reason },
    },
  };
  const [notice] = noticesOf([{ event, id: 'e' }], [event], new Map());
  expect(fieldOf(slackMessage(notice!, BROKER), 'reason')).toBe(
    'reason\nfine Answer: mayfly approve another evil',
  );
});

it('stays within what Slack takes, whatever the words, and clips between characters', () => {
  const long = '&😀'.repeat(2_000);
  const message = messageOf({
    ...{ agent: long, tool: long, tenant: long, reasons: [long] },
    binds: { what: 'these_rights', rights: [long], seconds: 1 },
  });
  for (const { text } of textsOf(message)) {
    expect(text.length).toBeLessThanOrEqual(2_000);
    expect(text.isWellFormed()).toBe(true);
  }
  expect(message.text.length).toBeLessThan(4_000);
  expect(fieldOf(message, 'asked because')).toMatch(/…$/);
  const fields = message.blocks.flatMap((block) => ('fields' in block ? [block.fields.length] : []));
  expect(fields.every((count) => count <= 10)).toBe(true);
});

it('says why a task is suspended', () => {
  const event: EventOf<'task.suspended'> = {
    type: 'task.suspended',
    data: { taskId: CALL.taskId, generation: 2, actor: '//mayfly/broker', at: CALL.at, cause: 'parked' },
  };
  const [notice] = noticesOf([{ event, id: 'e' }], [event], new Map());
  const message = slackMessage(notice!, BROKER);
  expect(message.text).toBe(
    `A task is suspended; task ${CALL.taskId}; Look: mayfly task show ${CALL.taskId}`,
  );
  expect(fieldOf(message, 'why')).toBe('why\nparked');
});
