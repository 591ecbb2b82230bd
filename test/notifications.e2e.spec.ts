/** Proves that people are told what waits for them although the broker is killed while it tells them: again, with the same id. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { verifyWebhook, type Notification } from '../examples/support/webhook.js';
import { until } from './support/orders-service.js';
import { ANALYST, next, openClient, startTask, WITHIN_MS } from './support/sample-client.js';
import { sampleWithOutlets } from './support/sample-with-outlets.js';
import { startStack, type TestStack } from './support/stack.mjs';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('a webhook', () => {
  let folder: string;
  let stack: TestStack;
  let client: MayflyClient;
  let server: Server;
  const got: { headers: IncomingHttpHeaders; notification: Notification | undefined }[] = [];
  let answer: (response: ServerResponse) => void = () => undefined;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const { headers } = request;
        const notification = verifyWebhook(SECRET, headers, Buffer.concat(parts), Date.now());
        got.push({ headers, notification });
        answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/mayfly`;
    folder = await mkdtemp(join(tmpdir(), 'mayfly-notifications-'));
    const desk = { id: 'desk', kind: 'webhook', url, secret: SECRET, events: ['approval.requested'] };
    stack = await startStack({
      env: { ...(await sampleWithOutlets(folder, [], [desk])), MAYFLY_BUS: 'postgres' },
    });
    client = await openClient(stack);
  }, 180_000);
  afterAll(async () => {
    await client?.close();
    await stack?.stop();
    server?.closeAllConnections();
    server?.close();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  it('is told again, with the same id, what a broker was telling when it was killed', async () => {
    const declared = [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['write'] }];
    const taskId = await startTask(client, { declared });
    const requested = next(client, 'approval.requested', taskId);
    const call = { taskId, tool: 'sql.query', dataset: 'crm.orders', action: 'write' };
    const answered = client.call(call, ANALYST, WITHIN_MS).catch(() => undefined);
    const { approvalId } = (await requested).data;
    await until(() => got.length > 0);

    await stack.kill('broker');
    answer = (response) => response.writeHead(204).end();
    await stack.start('broker');
    await until(() => got.length > 1, 60_000);

    for (const { notification } of got)
      expect(notification).toMatchObject({
        type: 'approval.requested',
        taskId,
        approval: { id: approvalId },
      });
    expect(new Set(got.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(stack.logs('broker')).not.toContain(SECRET);
    await answered;
  }, 180_000);
});
