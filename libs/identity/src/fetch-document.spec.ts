import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { fetchDocument } from './fetch-document.js';

let server: Server | undefined;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined));
});
const serving = async (answer: RequestListener) => {
  const started = createServer(answer);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/bundle`;
};
const LIMITS = { timeoutMs: 300, maxBytes: 1000 };
const failed = (fields: object = {}) => ({
  code: 'ERR_IDENTITY_FETCH_FAILED',
  fields: expect.objectContaining(fields) as object,
});

it('a document is what the address answers', async () => {
  const url = await serving((_request, response) => response.end('{"keys":[]}'));
  expect((await fetchDocument(url, LIMITS)).toString()).toBe('{"keys":[]}');
});

describe('there is no document', () => {
  it.each([301, 302, 307, 308])('behind a redirect (%d), which is not followed', async (status) => {
    let asked = 0;
    const url = await serving((_request, response) => {
      asked += 1;
      response.writeHead(status, { location: '/elsewhere' }).end();
    });
    await expect(fetchDocument(url, LIMITS)).rejects.toMatchObject(failed({ url, status }));
    expect(asked).toBe(1);
  });

  it.each([204, 404, 500])('with status %d', async (status) => {
    const url = await serving((_request, response) => response.writeHead(status).end());
    await expect(fetchDocument(url, LIMITS)).rejects.toMatchObject(failed({ status }));
  });

  it('that is over the limit, however little of it travels', async () => {
    const url = await serving((_request, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(1001))),
    );
    await expect(fetchDocument(url, LIMITS)).rejects.toMatchObject(failed({ maxBytes: 1000 }));
  });

  it('that never ends', async () => {
    const url = await serving((_request, response) => {
      response.write('{"keys":');
    });
    await expect(fetchDocument(url, LIMITS)).rejects.toMatchObject(failed({ url }));
  });

  it('where nobody answers', async () => {
    await expect(fetchDocument('http://127.0.0.1:1/bundle', LIMITS)).rejects.toMatchObject(failed());
  });
});
