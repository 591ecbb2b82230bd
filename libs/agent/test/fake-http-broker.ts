/** The fake broker behind HTTP: CloudEvents HTTP binary mode in, envelopes and problem documents out. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TASK_EVENTS } from '#events/topics.js';
import type { FakeBroker, Outcome } from './fake-broker.js';

export interface FakeHttpBroker {
  url: string;
  /** Method and path of each request. */
  requests: string[];
  /** What an answer says of the time. */
  date: string | undefined;
  close(): Promise<void>;
}

/** As the broker's; the rest are 403. */
const STATUS: Partial<Record<string, number>> = { ERR_TARGET_UNREACHABLE: 503, ERR_PROOF_STALE: 401 };

export async function serve(broker: FakeBroker): Promise<FakeHttpBroker> {
  const fake: Omit<FakeHttpBroker, 'url' | 'close'> = { requests: [], date: undefined };
  const server = createServer((request, response) => void answer(request, response));
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    fake.requests.push(`${request.method} ${request.url}`);
    const { outcome, admitted } = broker.take(await recordOf(request));
    if (fake.date !== undefined) response.setHeader('date', fake.date);
    if (outcome.is === 'lost') return void request.socket.destroy();
    if (outcome.is === 'issued' && admitted !== undefined)
      return void response
        .writeHead(200, { 'content-type': 'application/jose' })
        .end(broker.envelope(admitted, outcome.plaintext));
    if (outcome.is === 'renewed') {
      const { notAfter, plaintext } = outcome;
      const envelope = plaintext === undefined ? {} : { envelope: broker.renewedEnvelope(plaintext) };
      const { taskId, leaseId } = admitted?.event.data as { taskId: string; leaseId: string };
      return void response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ taskId, leaseId, notAfter, ...envelope }));
    }
    if (outcome.is === 'taken')
      return void response
        .writeHead(admitted?.event.type === 'task.started' ? 201 : 200, {
          'content-type': 'application/json',
        })
        .end(JSON.stringify({ taskId: admitted?.event.data.taskId, generation: 1, state: 'open' }));
    const problem = problemOf(outcome);
    response
      .writeHead(problem.status, { 'content-type': 'application/problem+json' })
      .end(JSON.stringify(problem));
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(fake, {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
}

function problemOf(outcome: Outcome): { status: number; code: string; detail: string; reasons?: string[] } {
  if (outcome.is !== 'refused') return { status: 504, code: 'ERR_ANSWER_PENDING', detail: 'not known yet' };
  const { code, reasons } = outcome;
  return { status: STATUS[code] ?? 403, code, detail: reasons[0] ?? '', reasons };
}

async function recordOf(request: IncomingMessage) {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const named = Object.entries(request.headers).map(([name, value]) => [
    name.replace(/^ce-/, 'ce_'),
    String(value),
  ]);
  return {
    topic: TASK_EVENTS,
    partition: -1,
    offset: 0n,
    appendedAtMs: Date.now(),
    key: Buffer.from(String(request.headers['ce-subject'])),
    value: Buffer.concat(chunks),
    headers: Object.fromEntries(named) as Record<string, string>,
  };
}
