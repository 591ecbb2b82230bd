import { createHmac } from 'node:crypto';
import { scramVerifier } from './scram.mjs';

// RFC 7677 §3: user `user`, password `pencil`.
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const NONCE = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
const AUTH_MESSAGE = [
  'n=user,r=rOprNGfwEbeRWgbNEkqO',
  `r=${NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`,
  `c=biws,r=${NONCE}`,
].join(',');

it('makes the verifier whose server key signs as in RFC 7677', () => {
  const [, iterations, serverKey] =
    /^SCRAM-SHA-256\$(\d+):W22ZaJ0SNY7soEsUEjb6gQ==\$[^:]{44}:(.{44})$/.exec(
      scramVerifier('pencil', { salt: SALT }),
    ) ?? [];
  const signature = createHmac('sha256', Buffer.from(serverKey ?? '', 'base64'))
    .update(AUTH_MESSAGE)
    .digest('base64');
  expect(iterations).toBe('4096');
  expect(signature).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});
it('never makes the same one twice', () => expect(scramVerifier('pencil')).not.toBe(scramVerifier('pencil')));
