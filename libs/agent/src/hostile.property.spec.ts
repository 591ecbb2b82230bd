/** Whatever comes back, an agent opens nothing that was not sealed to it for this call, and knows its own errors from others'. */
import fc from 'fast-check';
import { DELIVERY } from '#events/topics.js';
import { sealCredential } from '#identity/seal.js';
import { EXECUTOR, LEASE, POSTGRES, TASK } from '../test/fake-broker.js';
import { AgentError } from './agent-error.js';
import { readReply } from './http-reply.js';
import { openEnvelope } from './open-envelope.js';
import { generateSealKey } from './seal-key.js';

const CALL = '0192f0a0-0000-7000-8000-0000000000c1';
const asked = { taskId: TASK, callId: CALL, agent: EXECUTOR };
const sealKey = generateSealKey();
const envelope = sealCredential({
  sealTo: sealKey.publicJwk,
  plaintext: POSTGRES,
  lease: { ...asked, leaseId: LEASE, topic: DELIVERY },
});

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.';
const mutation = fc.oneof(
  fc
    .record({ at: fc.nat(envelope.length - 1), by: fc.constantFrom(...BASE64URL) })
    .map(({ at, by }) => envelope.slice(0, at) + by + envelope.slice(at + 1)),
  fc.nat(envelope.length - 1).map((length) => envelope.slice(0, length)),
  fc.string({ maxLength: 200 }),
  fc.constantFrom('', '....', `${envelope}.`, `${envelope}${envelope}`, 'x'.repeat(70_000)),
);
/** Two texts of the same bytes are the same envelope: the last character of a part has bits that nobody reads. */
const bytesOf = (text: string) =>
  text
    .split('.')
    .map((each) => Buffer.from(each, 'base64url').toString('hex'))
    .join('.');

it('opens what was sealed to it', async () => {
  expect((await openEnvelope(envelope, sealKey, asked)).leaseId).toBe(LEASE);
});

it('opens no envelope that was changed', async () => {
  await fc.assert(
    fc.asyncProperty(mutation, async (changed) => {
      fc.pre(bytesOf(changed) !== bytesOf(envelope));
      const opened = await openEnvelope(changed, sealKey, asked).catch((error: unknown) => error);
      expect(opened).toBeInstanceOf(AgentError);
    }),
    { numRuns: 1_500 },
  );
});

it('reads every answer as one that it knows, or says that it is none', async () => {
  const json = fc.oneof(
    fc.json(),
    fc.record({ code: fc.anything(), reasons: fc.anything() }).map((body) => JSON.stringify(body) ?? ''),
  );
  const answers = fc.record({
    body: fc.oneof(fc.string(), json),
    status: fc.integer({ min: 200, max: 599 }).filter((status) => ![204, 205, 304].includes(status)),
    type: fc.constantFrom('application/jose', 'application/problem+json', 'text/html', ''),
    retryAfter: fc.string({ maxLength: 8 }).filter((text) => /^[\x20-\x7e]*$/.test(text)),
  });
  await fc.assert(
    fc.asyncProperty(answers, async ({ body, status, type, retryAfter }) => {
      const headers = { 'content-type': type, 'retry-after': retryAfter };
      const reply = await readReply(new Response(body, { status, headers })).catch((error: unknown) => error);
      if (reply instanceof AgentError) return;
      expect(['taken', 'envelope', 'pending', 'refused', 'lost']).toContain((reply as { is: string }).is);
      if (status >= 300) expect(['refused', 'lost']).toContain((reply as { is: string }).is);
    }),
    { numRuns: 1_500 },
  );
});
