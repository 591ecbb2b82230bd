import { FakeBroker, ORCHESTRATOR, TASK, refusal } from '../test/fake-broker.js';
import { serve, type FakeHttpBroker } from '../test/fake-http-broker.js';
import { HttpTransport } from './http-transport.js';
import { Speaker } from './speaker.js';
import { testTransport } from './transport.contract.js';

describe('over HTTP', () => {
  testTransport(async (broker) => {
    const http = await serve(broker);
    return { transport: new HttpTransport({ url: http.url, retryAfterMs: 20 }), close: () => http.close() };
  });

  describe('beyond what every transport does', () => {
    let broker: FakeBroker;
    let http: FakeHttpBroker;
    beforeEach(async () => {
      broker = await FakeBroker.open();
      http = await serve(broker);
    });
    afterEach(async () => {
      await http.close();
      await broker.close();
    });

    const end = (transport: HttpTransport, speaker = new Speaker(broker.identity(ORCHESTRATOR))) =>
      transport.tell(
        'task.ended',
        TASK,
        () => speaker.sign({ type: 'task.ended', data: { taskId: TASK, outcome: 'completed' } }),
        { withinMs: 2_000 },
      );

    it('asks at the path of the task', async () => {
      await end(new HttpTransport({ url: `${http.url}/` }));
      expect(http.requests).toEqual([`POST /v1/tasks/${TASK}/end`]);
    });

    it('hints at the clock where a proof counts as early or late, and the times differ', async () => {
      broker.next = [
        refusal('ERR_PROOF_STALE', 'the proof was made more than 60 s from the time of arrival'),
      ];
      http.date = new Date(Date.now() - 90_000).toUTCString();
      await expect(end(new HttpTransport({ url: http.url }))).rejects.toMatchObject({
        code: 'ERR_PROOF_STALE',
        hint: expect.stringMatching(/^this machine's clock is (89|90|91) s ahead of the broker's$/) as string,
        message: expect.stringContaining('ahead of the broker') as string,
      });
    });

    it.each([
      ['http://mayfly.example', 'http is for this machine only: https is needed'],
      ['ftp://mayfly.example', 'not an https URL'],
      ['mayfly.example', 'not an https URL'],
      ['https://maria:secret@mayfly.example', 'a URL must not hold a login'],
    ])('does not speak to %s', (url, message) => {
      expect(() => new HttpTransport({ url })).toThrow(
        expect.objectContaining({ name: 'AgentError', code: 'ERR_URL_INSECURE', message }) as Error,
      );
    });

    it.each(['https://mayfly.example', 'http://localhost:7070', 'http://127.0.0.2', 'http://[::1]:7070'])(
      'may speak to %s',
      (url) => {
        expect(() => new HttpTransport({ url })).not.toThrow();
      },
    );

    const answering = (body: string, init: ResponseInit) =>
      new HttpTransport({
        url: 'https://mayfly.example',
        retryAfterMs: 5,
        fetch: () => Promise.resolve(new Response(body, init)),
      });

    it.each([
      ['a page of another server', 'page', { status: 404 }],
      ['a page that says yes to everything', 'yes', { status: 200 }],
      [
        'the answer about another task',
        '{"taskId":"another"}',
        { status: 200, headers: { 'content-type': 'application/json' } },
      ],
      ['a code that is none', '{"code":"<script>"}', { status: 403 }],
      ['more than any answer is', 'x'.repeat(131_073), { status: 200 }],
    ])('takes %s for no answer', async (_what, body, init) => {
      await expect(end(answering(body, init))).rejects.toMatchObject({ code: 'ERR_BROKER_ANSWER' });
    });

    it('says that a call waits for an approval', async () => {
      const transport = answering('{"approval":"a-7"}', { status: 202 });
      const call = { taskId: TASK, callId: 'c', agent: 'a', sealKid: 'k' };
      const letter = () => Promise.resolve({ topic: 't', key: TASK, value: Buffer.from('{}'), headers: {} });
      await expect(transport.ask(call, letter, { withinMs: 1_000 })).rejects.toMatchObject({
        code: 'ERR_APPROVAL_PENDING',
        fields: { callId: 'c', approval: 'a-7' },
      });
    });

    it('follows nobody elsewhere', async () => {
      const seen: RequestInit[] = [];
      const transport = new HttpTransport({
        url: 'https://mayfly.example',
        fetch: (_url, init) => {
          seen.push(init ?? {});
          return Promise.resolve(Response.json({ taskId: TASK }));
        },
      });
      await end(transport);
      expect(seen).toEqual([expect.objectContaining({ redirect: 'error', method: 'POST' })]);
    });
  });
});
