import { createHash, createHmac } from 'node:crypto';
import { Secret } from '../secret.js';
import { randomSecret, scramVerifier } from './scram-verifier.js';

/** RFC 7677 §3: the example exchange of SCRAM-SHA-256. */
const RFC_7677 = {
  password: new Secret('pencil'),
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  iterations: 4096,
  authMessage:
    'n=user,r=rOprNGfwEbeRWgbNEkqO,' +
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,' +
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  clientProof: Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64'),
  serverSignature: '6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
};

it('accepts the client and signs for the server of RFC 7677’s example', () => {
  const { password, iterations, salt, authMessage, clientProof, serverSignature } = RFC_7677;
  const verifier = scramVerifier(password, iterations, salt);
  const keys = /^SCRAM-SHA-256\$4096:W22ZaJ0SNY7soEsUEjb6gQ==\$([^:]+):(.+)$/.exec(verifier);
  const [storedKey, serverKey] = [keys?.[1] ?? '', keys?.[2] ?? ''].map((key) => Buffer.from(key, 'base64'));

  const clientSignature = createHmac('sha256', storedKey!).update(authMessage).digest();
  const clientKey = clientProof.map((byte, i) => byte ^ clientSignature[i]!);
  expect(createHash('sha256').update(clientKey).digest()).toEqual(storedKey);
  expect(createHmac('sha256', serverKey!).update(authMessage).digest('base64')).toBe(serverSignature);
});

it('salts every verifier anew, with one iteration unless told otherwise', () => {
  const secret = randomSecret();
  expect(scramVerifier(secret)).toMatch(/^SCRAM-SHA-256\$1:/);
  expect(scramVerifier(secret)).not.toBe(scramVerifier(secret));
});

it('makes secrets of 256 bits in base64url', () => {
  expect(randomSecret().reveal()).toMatch(/^[A-Za-z0-9_-]{43}$/);
});
