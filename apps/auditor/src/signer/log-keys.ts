/** The private keys of the log's signed notes, as the signer is given them; nobody else reads them. */
import { createHash } from 'node:crypto';
import { parseSigner, parseVerifier } from '#merkle/node/keys.js';
import type { NoteSigner } from '#merkle/note-key.js';
import { readKeyFile } from '../leaf/keys.js';

/** What an operator has to put right first: exit code 2. */
export class SignerSetUpError extends Error {
  override readonly name = 'SignerSetUpError';
  readonly code = 'ERR_SIGNER_SET_UP';
}

/** @throws KeyFileError, MerkleError for a file that holds no note key, SignerSetUpError for keys of two logs, or one twice. */
export async function readLogKeys(files: readonly string[]): Promise<NoteSigner[]> {
  const signers = await Promise.all(files.map(async (file) => parseSigner(await readKeyFile(file))));
  if (new Set(signers.map(({ name }) => name)).size !== 1)
    throw new SignerSetUpError('the keys of the signer are not all of one log');
  if (new Set(signers.map(({ vkey }) => vkey)).size !== signers.length)
    throw new SignerSetUpError('the signer is given a key twice');
  return signers;
}

/** The same key for whoever reads JWKs (RFC 8037); its id is the thumbprint of RFC 7638. */
export function jwkOf({ vkey }: Pick<NoteSigner, 'vkey'>) {
  const x = Buffer.from(parseVerifier(vkey).publicKey).toString('base64url');
  // The members that a thumbprint is made of, in its order.
  const key = { crv: 'Ed25519', kty: 'OKP', x };
  const kid = createHash('sha256').update(JSON.stringify(key)).digest('base64url');
  return { ...key, kid, use: 'sig', alg: 'Ed25519' };
}
