/** Valid requests with something changed: none is accepted, none is a failure of ours, and no answer shows how we are made. */
import fc from 'fast-check';
import type { BusRecord } from '#bus/bus.js';
import { HEADERS } from '#events/envelope.js';
import { answered, request, type Answered, type Door, type HttpWorld } from '../../test/http-world.js';
import type { World } from '../../test/harness.js';
import { dpop, openOAuthWorld, type OAuthAgent } from '../../test/oauth-client.js';

const RUNS = 400;
const VISIBLE =
  '!"#$%&\'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~';
let http: HttpWorld;
let world: World;
let door: Door;
let agent: OAuthAgent;
let taskId: string;
beforeAll(async () => {
  ({ http, world, door, agent, taskId } = await openOAuthWorld());
});
afterAll(() => http.close());

interface Change {
  how: 'replace' | 'insert' | 'delete' | 'cut' | 'repeat';
  at: number;
  character: string;
}
const changes = fc.record({
  how: fc.constantFrom<Change['how']>('replace', 'insert', 'delete', 'cut', 'repeat'),
  at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
  character: fc.constantFrom(...VISIBLE),
});

/** @returns another text than the one given. */
function changed(text: string, { how, at, character }: Change): string {
  const i = Math.floor(at * text.length);
  const [before, after] = [text.slice(0, i), text.slice(i + 1)];
  switch (how) {
    case 'replace':
      return `${before}${text[i] === character ? (character === 'x' ? 'y' : 'x') : character}${after}`;
    case 'insert':
      return `${before}${character}${text.slice(i)}`;
    case 'delete':
      return `${before}${after}`;
    case 'cut':
      return before;
    case 'repeat':
      return `${text}${text.slice(i)}`;
  }
}

function expectRefused(reply: Answered, what: string): void {
  const shown = `${what}: ${reply.status} ${reply.text.slice(0, 300)}`;
  if (reply.status < 400 || reply.status >= 500) throw new Error(`accepted, or failed: ${shown}`);
  if (/\.ts|\.js|node_modules|at \w+ \(|eyJ/.test(reply.text))
    throw new Error(`it shows how we are made: ${shown}`);
}

it('a call whose proof, token, body or attributes were changed', async () => {
  const parts = [
    HEADERS.svid,
    HEADERS.proof,
    HEADERS.id,
    HEADERS.type,
    HEADERS.source,
    HEADERS.subject,
    'body',
  ] as const;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...parts), changes, async (part, change) => {
      const record = await world.voices.calls(taskId);
      const reply = await fetch(
        `${door.url}/v1/tasks/${taskId}/calls`,
        request(withPart(record, part, change)),
      );
      expectRefused(await answered(reply), `${part} ${change.how}`);
    }),
    { numRuns: RUNS },
  );
  expect(world.events(taskId, 'call.decided')).toEqual([]);
}, 120_000);

function withPart(record: BusRecord, part: string, change: Change): BusRecord {
  if (part === 'body')
    return { ...record, value: Buffer.from(changed((record.value ?? '').toString(), change)) };
  const text = (record.headers[part] ?? '').toString();
  return { ...record, headers: { ...record.headers, [part]: Buffer.from(changed(text, change)) } };
}

it('a request for a token of which any parameter or the proof was changed', async () => {
  await agent.send(taskId);
  const parts = [...Object.keys(agent.form(taskId)), 'proof'];
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...parts), changes, async (part, change) => {
      const form = agent.form(taskId);
      const proof = dpop(agent.speaker.key, agent.nonce);
      const reply =
        part === 'proof'
          ? await agent.post(form, changed(proof, change))
          : await agent.post({ ...form, [part]: changed(form[part] ?? '', change) }, proof);
      expectRefused(reply, `${part} ${change.how}`);
    }),
    { numRuns: RUNS },
  );
}, 120_000);

it('bytes that are no request at all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(
        '/v1/tasks',
        `/v1/tasks/${taskId}/calls`,
        '/oauth/token',
        '/oauth/introspect',
        '/oauth/revoke',
      ),
      fc.uint8Array({ maxLength: 2_000 }),
      fc.constantFrom('application/json', 'application/x-www-form-urlencoded', 'text/plain'),
      async (path, body, type) => {
        const reply = await fetch(`${door.url}${path}`, {
          method: 'POST',
          headers: { 'content-type': type },
          body: new Uint8Array(body),
        });
        expectRefused(await answered(reply), path);
      },
    ),
    { numRuns: RUNS },
  );
}, 120_000);
