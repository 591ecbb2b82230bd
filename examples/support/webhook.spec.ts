import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHmac } from 'node:crypto';
import { verifyWebhook, webhookServer, type Notification } from './webhook.js';

/** From `libraries/javascript/src/webhook.test.ts` of github.com/standard-webhooks/standard-webhooks, “sign function works”. */
const VECTOR = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  headers: {
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  },
  body: Buffer.from('{"test": 2432232314}'),
  nowMs: 1_614_265_330_000,
};
const verified = (change: Partial<typeof VECTOR> = {}) => {
  const { secret, headers, body, nowMs } = { ...VECTOR, ...change };
  return verifyWebhook(secret, headers, body, nowMs);
};

describe('the signature of a webhook', () => {
  it('is that of the specification', () => {
    expect(verified()).toEqual({ test: 2_432_232_314 });
  });

  it('may be one of several', () => {
    const signatures = `v2,AAAA v1,AAAA ${VECTOR.headers['webhook-signature']}`;
    expect(verified({ headers: { ...VECTOR.headers, 'webhook-signature': signatures } })).toBeDefined();
  });

  it.each([
    ['another body', { body: Buffer.from('{"test": 2432232315}') }],
    ['another secret', { secret: `whsec_${Buffer.alloc(24).toString('base64')}` }],
    ['another id', { headers: { ...VECTOR.headers, 'webhook-id': 'msg_other' } }],
    ['another time', { headers: { ...VECTOR.headers, 'webhook-timestamp': '1614265331' } }],
    ['no time', { headers: { ...VECTOR.headers, 'webhook-timestamp': '' } }],
    ['no signature', { headers: { ...VECTOR.headers, 'webhook-signature': '' } }],
    ['a signature that is old', { nowMs: VECTOR.nowMs + 301_000 }],
    ['a signature of the future', { nowMs: VECTOR.nowMs - 301_000 }],
  ])('is refused with %s', (_what, change) => {
    expect(verified(change)).toBeUndefined();
  });
});

describe('a receiver', () => {
  let server: Server;
  const told: Notification[] = [];
  let fails = false;
  beforeEach(async () => {
    told.length = 0;
    server = webhookServer(VECTOR.secret, (notification) => {
      if (fails) return Promise.reject(new Error('nobody listens'));
      told.push(notification);
      return Promise.resolve();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  async function send(id: string, change: Record<string, string> = {}): Promise<number> {
    const body = JSON.stringify({ type: 'task.suspended', id, taskId: 't' });
    const at = String(Math.floor(Date.now() / 1_000));
    const key = Buffer.from(VECTOR.secret.slice('whsec_'.length), 'base64');
    const signature = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
    const { port } = server.address() as AddressInfo;
    const { status } = await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: {
        'webhook-id': id,
        'webhook-timestamp': at,
        'webhook-signature': `v1,${signature}`,
        ...change,
      },
      body,
    });
    return status;
  }

  it('tells once what comes twice', async () => {
    expect([await send('1'), await send('1'), await send('2')]).toEqual([204, 204, 204]);
    expect(told.map(({ id }) => id)).toEqual(['1', '2']);
  });

  it('wants again what it could not tell', async () => {
    fails = true;
    expect(await send('1')).toBe(503);
    fails = false;
    expect(await send('1')).toBe(204);
    expect(told).toHaveLength(1);
  });

  it('takes nothing that is signed by somebody else', async () => {
    expect(await send('1', { 'webhook-signature': 'v1,AAAA' })).toBe(401);
    expect(told).toEqual([]);
  });
});
