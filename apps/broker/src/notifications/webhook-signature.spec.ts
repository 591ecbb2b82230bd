import { createSecretKey } from 'node:crypto';
import { webhookKey } from '#config/notifications.js';
import { signatureHeaders } from './webhook-signature.js';

/** From `libraries/javascript/src/webhook.test.ts` of github.com/standard-webhooks/standard-webhooks, “sign function works”. */
it('signs as Standard Webhooks do', () => {
  const key = createSecretKey(webhookKey('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')!);
  const attempt = {
    id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    atMs: 1_614_265_330_000,
    body: '{"test": 2432232314}',
  };

  expect(signatureHeaders(attempt, key)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});
