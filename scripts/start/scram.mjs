import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';

/**
 * What PostgreSQL stores for a password (RFC 5803 with SCRAM-SHA-256). Sent in place of the password, so that a server that
 * logs its statements never sees one.
 * @param {string} password ASCII, so that SASLprep changes nothing
 * @param {{ salt?: Buffer, iterations?: number }} [options]
 * @returns {string} `SCRAM-SHA-256$<iterations>:<salt>$<stored key>:<server key>`
 */
export function scramVerifier(password, { salt = randomBytes(16), iterations = 4096 } = {}) {
  const salted = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
  const key = (text) => createHmac('sha256', salted).update(text).digest();
  const storedKey = createHash('sha256').update(key('Client Key')).digest('base64');
  const serverKey = key('Server Key').toString('base64');
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey}:${serverKey}`;
}
