import type { Fetch } from './fetch-document.js';
import { createIntrospection } from './introspection-client.js';
import type { VerifiedToken } from './life.js';
import { LEASE, claims } from './verifier-world.contract.js';

const URL = 'https://mayfly.example/oauth/introspect';
let given: VerifiedToken['claims'];
beforeEach(async () => {
  given = (await claims()) as VerifiedToken['claims'];
});

const answering = (reply: unknown, status = 200) => {
  const sent: { url: string; init: RequestInit }[] = [];
  const fetch: Fetch = (url, init) => {
    sent.push({ url, init });
    return Promise.resolve(Response.json(reply, { status }));
  };
  const authenticate = () =>
    Promise.resolve({ headers: { authorization: 'Basic abc' }, parameters: { client_assertion: 'svid' } });
  return { introspect: createIntrospection({ url: URL, authenticate, fetch }), sent };
};

it('sends the token in the body, with the authentication it was given', async () => {
  const { introspect, sent } = answering({ active: true, jti: LEASE, cnf: given.cnf });
  expect(await introspect('the.token', given)).toBe('active');
  expect(sent[0]).toMatchObject({
    url: URL,
    init: {
      method: 'POST',
      headers: { authorization: 'Basic abc', 'content-type': 'application/x-www-form-urlencoded' },
      body: 'client_assertion=svid&token=the.token&token_type_hint=access_token',
    },
  });
});

it('takes the word of the broker that it is not active', async () => {
  expect(await answering({ active: false }).introspect('t', given)).toBe('inactive');
});

it.each([
  ['another lease', { active: true, jti: 'another', cnf: { jkt: 'x' } }],
  ['another key', { active: true, jti: LEASE, cnf: { jkt: 'x' } }],
  ['no token', { active: true }],
  ['nothing', {}],
  ['no object', ['active']],
  ['active in another way', { active: 'true', jti: LEASE }],
])('takes no answer that is about %s', async (_what, reply) => {
  await expect(answering(reply).introspect('t', given)).rejects.toThrow('the answer is');
});

it('takes no answer about another lease of the same key', async () => {
  const { introspect } = answering({ active: true, jti: 'another', cnf: given.cnf });
  await expect(introspect('t', given)).rejects.toThrow('the answer is not about this token');
});

it('takes no answer with another status', async () => {
  await expect(answering({ active: true }, 500).introspect('t', given)).rejects.toThrow(
    'another status than 200',
  );
});

it('asks 64 times at once, and not oftener', async () => {
  const answers: (() => void)[] = [];
  const fetch: Fetch = () =>
    new Promise((resolve) => answers.push(() => resolve(Response.json({ active: false }))));
  const introspect = createIntrospection({ url: URL, authenticate: () => Promise.resolve({}), fetch });
  const asked = Array.from({ length: 64 }, () => introspect('t', given));
  await expect(introspect('t', given)).rejects.toThrow('too many introspections at once');
  answers.forEach((answer) => answer());
  expect(await Promise.all(asked)).toEqual(Array.from({ length: 64 }, () => 'inactive'));
  const later = introspect('t', given);
  while (answers.length < 65) await new Promise((resolve) => setImmediate(resolve));
  answers.at(-1)?.();
  expect(await later).toBe('inactive');
});

it('does not send tokens in clear', () => {
  expect(() =>
    createIntrospection({ url: 'http://mayfly.example/', authenticate: () => Promise.resolve({}) }),
  ).toThrow('neither https nor on this machine');
});
