/**
 * A principal's secret and what the server stores of it: a SCRAM-SHA-256 verifier (RFC 5802 §3, RFC 7677) in
 * PostgreSQL's form, made here so that the clear text is in no statement. The secret has 256 random bits, so one
 * iteration is as strong as many: there is nothing to guess. The server re-derives a verifier on CREATE ROLE, and with
 * 4,096 iterations that is most of the price of a create.
 */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { Secret } from '../secret.js';

const SECRET_BYTES = 32;
const SALT_BYTES = 16;

/** A fresh secret: 256 random bits as base64url, 43 characters, all ASCII (SASLprep leaves it as it is). */
export const randomSecret = (): Secret => new Secret(randomBytes(SECRET_BYTES).toString('base64url'));

/** `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. Requires an ASCII secret and iterations >= 1. */
export function scramVerifier(
  secret: Secret,
  iterations = 1,
  salt: Buffer = randomBytes(SALT_BYTES),
): string {
  const salted = pbkdf2Sync(secret.reveal(), salt, iterations, 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest('base64');
  const serverKey = createHmac('sha256', salted).update('Server Key').digest('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
