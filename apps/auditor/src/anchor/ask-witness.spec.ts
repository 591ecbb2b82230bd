import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { askWitness } from './ask-witness.js';

let server: Server;
const never = new AbortController().signal;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listening(answer: RequestListener): Promise<string> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/mayfly`;
}
const ask = async (answer: RequestListener, withinMs?: number) =>
  askWitness(await listening(answer), 'old 0\n\nnote', never, withinMs);

it('posts the request behind the prefix, and reads status and text', async () => {
  const answer = await ask((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => response.writeHead(409).end(`${request.method} ${request.url} ${body}`));
  });
  expect(answer).toEqual({ status: 409, body: 'POST /mayfly/add-checkpoint old 0\n\nnote' });
});

it('follows nobody elsewhere', async () => {
  const asked: (string | undefined)[] = [];
  const answer = await ask((request, response) => {
    asked.push(request.url);
    response.writeHead(307, { location: '/elsewhere' }).end();
  });
  expect([answer?.status, asked]).toEqual([307, ['/mayfly/add-checkpoint']]);
});

it.each<[string, RequestListener]>([
  [
    'answers without an end',
    (_request, response) => {
      const more = (error?: Error | null) => {
        if (!error) response.write('x'.repeat(10_000), more);
      };
      more();
    },
  ],
  ['begins to answer and stops', (_request, response) => void response.write('— ')],
  ['does not answer', () => {}],
  ['hangs up', (_request, response) => void response.destroy()],
])('has no answer of one that %s', async (_what, answer) => {
  expect(await ask(answer, 300)).toBeUndefined();
});

it('has no answer where nobody listens, or where it is broken off', async () => {
  const prefix = await listening(() => {});
  const stop = new AbortController();
  const asked = askWitness(prefix, 'x', stop.signal);
  stop.abort();
  expect(await asked).toBeUndefined();
  await new Promise((resolve) => server.close(resolve));
  expect(await askWitness(prefix, 'x', never)).toBeUndefined();
});
