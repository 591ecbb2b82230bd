import { createHash, createHmac } from 'node:crypto';
import { scramVerifier } from '../postgres/scram-verifier.js';
import { Secret } from '../secret.js';
import { saltedPassword } from './scram.js';

const secret = new Secret('pencil');
const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');

it('is what PostgreSQL’s verifier of the same password is made from', async () => {
  const { saltedPassword: salted, iterations } = await saltedPassword(secret, 'scram-sha-256', 4_096, salt);

  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  expect(scramVerifier(secret, iterations, salt)).toBe(
    `SCRAM-SHA-256$4096:${salt.toString('base64')}$${storedKey}:${serverKey}`,
  );
});

it('is of the mechanism’s own length, with a salt of its own', async () => {
  const one = await saltedPassword(secret, 'scram-sha-512', 4_096);
  const other = await saltedPassword(secret, 'scram-sha-512', 4_096);

  expect(one).toMatchObject({ mechanism: 2, iterations: 4_096 });
  expect(one.saltedPassword).toHaveLength(64);
  expect(one.salt).toHaveLength(16);
  expect(one.salt).not.toEqual(other.salt);
});
