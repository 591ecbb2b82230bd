import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { fetchDocument, secureUrl } from './fetch-document.js';

let server: Server | undefined;
afterEach(() => server?.closeAllConnections());
afterEach(() => new Promise((resolve) => (server === undefined ? resolve(0) : server.close(resolve))));

const from = async (listener: RequestListener, over: { timeoutMs?: number } = {}) => {
  server = createServer(listener);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return fetchDocument({
    url: `http://127.0.0.1:${port}/list`,
    accept: 'text/plain',
    maxBytes: 100,
    ...over,
  });
};

it('brings what is there', async () => {
  const bytes = await from((request, response) =>
    response.end(`${request.method} ${request.headers.accept}`),
  );
  expect(bytes.toString()).toBe('GET text/plain');
});

it.each<[string, RequestListener, string]>([
  ['another status', (_, response) => response.writeHead(404).end('{}'), 'another status than 200'],
  [
    'a redirect',
    ({ url }, response) =>
      url === '/other' ? response.end('a') : response.writeHead(302, { location: '/other' }).end(),
    'fetch failed',
  ],
  ['too much', (_, response) => response.end('a'.repeat(101)), 'too large'],
  [
    'what inflates to too much',
    (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('a'.repeat(1e6))),
    'too large',
  ],
  [
    'an answer that breaks off',
    (request, response) => {
      response.write('a');
      setTimeout(() => request.socket.destroy(), 20);
    },
    'terminated',
  ],
])('does not take %s', async (_what, listener, message) => {
  await expect(from(listener)).rejects.toThrow(message);
});

it('does not wait for ever', async () => {
  await expect(from(() => undefined, { timeoutMs: 50 })).rejects.toThrow('timeout');
});

it.each(['https://mayfly.example/', 'http://localhost:7070/', 'http://127.0.0.1/', 'http://[::1]:7070/'])(
  'calls %s safe',
  (url) => expect(secureUrl(url)).toBe(url),
);
it.each(['http://mayfly.example/', 'http://127.0.0.1.evil.example/', 'ws://localhost/', 'data:,x'])(
  'calls %s unsafe',
  (url) => expect(() => secureUrl(url)).toThrow('neither https nor on this machine'),
);
