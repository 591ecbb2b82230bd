/** A service's private signing key, from a file. */
import { createPrivateKey, sign, verify, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { isObject, parseJson } from './bytes.js';
import { IdentityError } from './errors.js';
import { importPublicJwk, thumbprint, type EcPublicJwk } from './jwk.js';

export interface SigningKey {
  key: KeyObject;
  jwk: EcPublicJwk;
  /** RFC 7638 thumbprint, whatever the file calls it: so it cannot name another key. */
  kid: string;
}

/** The whole file. @throws IdentityError ERR_IDENTITY_FILE_UNREADABLE */
export async function readIdentityFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new IdentityError('ERR_IDENTITY_FILE_UNREADABLE', 'cannot read the file', { file }, { cause });
  }
}

/**
 * Reads an EC P-256 private JWK.
 * @throws IdentityError ERR_IDENTITY_FILE_UNREADABLE, ERR_IDENTITY_KEY_INVALID: also when the public half is not of the private one
 */
export async function readSigningKey(file: string): Promise<SigningKey> {
  // No cause anywhere: it could quote the text, which is a private key.
  const invalid = () =>
    new IdentityError('ERR_IDENTITY_KEY_INVALID', 'the file holds no EC P-256 private JWK', { file });
  const parsed = parseJson(await readIdentityFile(file));
  if (!parsed.ok || !isObject(parsed.value)) throw invalid();
  const { kty, crv, x, y, d } = parsed.value;
  if (kty !== 'EC' || crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string') throw invalid();
  const jwk: EcPublicJwk = { kty, crv, x, y };
  try {
    const key = createPrivateKey({ key: { ...jwk, d: String(d) }, format: 'jwk' });
    if (!belongTogether(key, jwk)) throw invalid();
    return { key, jwk, kid: thumbprint(jwk) };
  } catch {
    throw invalid();
  }
}

/** OpenSSL imports a private scalar with the public point of another key: only a signature shows it. */
function belongTogether(key: KeyObject, jwk: EcPublicJwk): boolean {
  const trial = Buffer.from('mayfly');
  const publicKey = importPublicJwk(jwk);
  return publicKey !== undefined && verify('sha256', trial, publicKey, sign('sha256', trial, key));
}
