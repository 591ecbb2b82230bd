import type { Socket } from 'node:net';
import { privacyOf } from './is-private.js';

const from = (remoteAddress?: string) => ({ socket: { remoteAddress } as Socket });

it.each(['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])(
  '%s is this machine, which will do in development',
  (address) => {
    expect(privacyOf({ environment: 'development' })(from(address))).toBe(true);
    expect(privacyOf({ environment: 'production' })(from(address))).toBe(false);
  },
);

it.each(['10.0.0.1', '::ffff:10.0.0.1', '127.evil', undefined])('%s is not', (address) => {
  expect(privacyOf({ environment: 'development' })(from(address))).toBe(false);
});

it('behind TLS every request is private, by the operator’s word', () => {
  expect(privacyOf({ environment: 'production', behindTls: true })(from('10.0.0.1'))).toBe(true);
});
