/** A request to somebody outside, who answers as it likes. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postOnce, type Posted } from './post-once.js';

let server: Server;
const paths: string[] = [];
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

async function posted(
  answer: RequestListener,
  change: { withinMs?: number; signal?: AbortSignal } = {},
): Promise<Posted> {
  paths.length = 0;
  server = createServer((request, response) => {
    paths.push(request.url ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/in?key=s3cret`;
  const { signal } = new AbortController();
  return await postOnce({ url, headers: {}, body: '{}', withinMs: 10_000, signal, ...change });
}

it('tells the status, and when to come again', async () => {
  expect(await posted((_request, response) => response.writeHead(429, { 'retry-after': '7' }).end())).toEqual(
    {
      ...{ is: 'answered', status: 429, retryAfterMs: 7_000 },
    },
  );
});

it('follows no redirect', async () => {
  const elsewhere: RequestListener = (_request, response) =>
    response.writeHead(307, { location: '/elsewhere' }).end();
  expect(await posted(elsewhere)).toMatchObject({ is: 'answered', status: 307 });
  expect(paths).toEqual(['/in?key=s3cret']);
});

it('reads nothing of an answer that has no end', async () => {
  const chunk = Buffer.alloc(65_536);
  let closed: Promise<void> | undefined;
  const flood: RequestListener = (_request, response) => {
    closed = new Promise((resolve) => response.on('close', resolve));
    const write = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.writeHead(200).on('drain', write);
    write();
  };
  expect(await posted(flood)).toMatchObject({ is: 'answered', status: 200 });
  await closed;
});

it('waits no longer than it is told', async () => {
  expect(await posted(() => undefined, { withinMs: 50 })).toEqual({ is: 'unanswered', code: 'timeout' });
});

it('ends when it is told to', async () => {
  expect(await posted(() => undefined, { signal: AbortSignal.abort() })).toEqual({
    is: 'unanswered',
    code: 'stopped',
  });
});

it('says of somebody who hangs up a code, and not where that is', async () => {
  const answer = await posted((request) => request.socket.destroy());
  expect(answer.is).toBe('unanswered');
  expect(JSON.stringify(answer)).not.toMatch(/127|s3cret/);
});
