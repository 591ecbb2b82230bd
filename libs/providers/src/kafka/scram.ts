/** What Kafka is told of a secret (RFC 5802 §3): the salted password, of which it keeps two keys; the clear text is in no request. */
import { pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Secret } from '../secret.js';
import type { ScramMechanism } from './settings.js';

/** Codes of the protocol. */
export const SCRAM_CODES: Record<ScramMechanism, 1 | 2> = { 'scram-sha-256': 1, 'scram-sha-512': 2 };

const HASHES: Record<ScramMechanism, { name: string; bytes: number }> = {
  'scram-sha-256': { name: 'sha256', bytes: 32 },
  'scram-sha-512': { name: 'sha512', bytes: 64 },
};
const SALT_BYTES = 16;
const derive = promisify(pbkdf2);

export interface SaltedPassword {
  mechanism: 1 | 2;
  iterations: number;
  salt: Buffer;
  saltedPassword: Buffer;
}

/** Requires an ASCII secret. */
export async function saltedPassword(
  secret: Secret,
  mechanism: ScramMechanism,
  iterations: number,
  salt: Buffer = randomBytes(SALT_BYTES),
): Promise<SaltedPassword> {
  const { name, bytes } = HASHES[mechanism];
  const salted = await derive(secret.reveal(), salt, iterations, bytes, name);
  return { mechanism: SCRAM_CODES[mechanism], iterations, salt, saltedPassword: salted };
}
