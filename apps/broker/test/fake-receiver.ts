/** A receiver of notifications: it takes what comes, or answers otherwise, and verifies as the how-to does. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { verifyWebhook } from '../../../examples/support/webhook.js';
import type { Notice } from '../src/notifications/notice.js';

export const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

export class FakeReceiver {
  readonly got: { path: string; headers: IncomingMessage['headers']; body: Buffer; atMs: number }[] = [];
  answer: (response: ServerResponse) => void = (response) => response.writeHead(204).end();
  private constructor(private readonly server: Server) {}

  static async open(): Promise<FakeReceiver> {
    const server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { url: path = '', headers } = request;
        fake.got.push({ path, headers, body: Buffer.concat(parts), atMs: Date.now() });
        fake.answer(response);
      });
    });
    const fake = new FakeReceiver(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/s3cret-path`;
  }

  /** What came and is from Mayfly. */
  get notices(): (Notice & { links: { approval?: string } })[] {
    return this.got.map(({ headers, body, atMs }) => {
      const verified = verifyWebhook(SECRET, headers, body, atMs);
      if (verified === undefined) throw new Error('a notification does not verify');
      expect(headers['webhook-id']).toBe(verified.id);
      return verified as unknown as Notice & { links: { approval?: string } };
    });
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
