/** Who is told outside of approvals and suspensions, as an operator configures it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NOTIFIED_TYPES } from '#events/notified-types.js';
import { edited, env, folder, refusalOf, SAMPLE } from '../test/sample-file.js';
import { configErrorLine } from './config-error.js';
import { loadConfig } from './load.js';
import { webhookKey } from './notifications.js';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const HOOK = 'https://hooks.example/T0/B0/x?sig=1';
const variables = { ...env, HOOK_SECRET: SECRET, CHAT_URL: HOOK };

const withReceivers = (receivers: string) =>
  edited('    approvals:\n', `    notifications: [${receivers}]\n    approvals:\n`);
const received = (receivers: string) =>
  loadConfig(withReceivers(receivers), variables, 'broker').services.broker.notifications;

it('tells nobody unless somebody is named', () => {
  expect(loadConfig(SAMPLE, env, 'broker').services.broker.notifications).toEqual([]);
});

it('takes webhooks and chats, with their secrets from the environment or a file', () => {
  expect(
    received(
      '{ id: pager, kind: webhook, url: https://pager.example/in/, secret: "${HOOK_SECRET}", events: [task.suspended] }, ' +
        '{ id: desk, kind: webhook, url: https://desk.example, secretFile: desk.secret, tenants: [acme] }, ' +
        '{ id: chat, kind: slack, url: "${CHAT_URL}" }',
    ),
  ).toEqual([
    {
      ...{ id: 'pager', kind: 'webhook', url: 'https://pager.example/in/', secret: SECRET },
      events: ['task.suspended'],
    },
    {
      ...{ id: 'desk', kind: 'webhook', url: 'https://desk.example', secretFile: 'desk.secret' },
      ...{ events: [...NOTIFIED_TYPES], tenants: ['acme'] },
    },
    { id: 'chat', kind: 'slack', url: HOOK, events: [...NOTIFIED_TYPES] },
  ]);
});

const webhook = (members: string) => `{ id: a, kind: webhook, secret: ${SECRET}, ${members} }`;

it.each([
  ['without a secret', '{ id: a, kind: webhook, url: https://a.example }'],
  ['with two secrets', webhook('url: https://a.example, secretFile: b')],
  ['whose secret is too short', '{ id: a, kind: webhook, url: https://a.example, secret: whsec_c2hvcnQ= }'],
  ['whose secret is plain text', '{ id: a, kind: webhook, url: https://a.example, secret: hunter2hunter2 }'],
  ['that is a chat with a secret', `{ id: a, kind: slack, url: https://a.example, secret: ${SECRET} }`],
  ['in clear beyond this machine', webhook('url: http://a.example')],
  ['with a password in its URL', webhook('url: https://u:p@a.example')],
  ['whose URL is none', webhook('url: pager')],
  ['of another kind', `{ id: a, kind: smtp, url: https://a.example }`],
  ['of an event that nobody is told of', webhook('url: https://a.example, events: [lease.issued]')],
  ['of no event', webhook('url: https://a.example, events: []')],
  ['with a name that is none', webhook('url: https://a.example').replace('id: a', 'id: A/b')],
  ['twice', `${webhook('url: https://a.example')}, ${webhook('url: https://b.example')}`],
  [
    'beyond the sixteenth',
    Array.from({ length: 17 }, (_, n) =>
      webhook('url: https://a.example').replace('id: a', `id: a${n}`),
    ).join(', '),
  ],
])('refuses a receiver %s, and does not show it', (_what, receivers) => {
  const error = refusalOf(withReceivers(receivers), variables);
  expect(error.code).toBe('ERR_CONFIG_INVALID');
  expect(error.key).toMatch(/^services\.broker\.notifications/);
  expect(configErrorLine(error)).not.toMatch(/whsec_\w|hunter2|u:p@/);
});

it('sends in clear on this machine in development, and nowhere in production', () => {
  const receiver = webhook('url: http://127.0.0.1:9000/hook');
  expect(received(receiver)).toHaveLength(1);
  const { MAYFLY_ENV: _, ...production } = variables;
  const file = join(folder, 'production.yaml');
  const text = readFileSync(withReceivers(receiver), 'utf8');
  writeFileSync(file, text.replaceAll('development: true', 'development: false'));
  expect(refusalOf(file, production)).toMatchObject({
    code: 'ERR_CONFIG_UNSAFE',
    key: 'services.broker.notifications.0.url',
  });
});

it.each([
  [24, 24],
  [64, 64],
  [23, undefined],
  [65, undefined],
])('of a secret of %i bytes the key has %s', (bytes, expected) => {
  const secret = `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
  expect(webhookKey(secret)?.length).toBe(expected);
});
