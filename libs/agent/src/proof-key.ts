/**
 * The proof key: an ES256 key pair that a workload makes for itself, one for each task it works on. Its SVID is bound to
 * it (`aud` = `mayfly:jkt:<thumbprint>`), and every event it sends is signed with it, so a copied SVID is of no use.
 */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import type { JsonWebKey, KeyObject } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { v4 as uuidV4 } from 'uuid';
import { thumbprint } from '#identity/jwk.js';
import type { EcPublicJwk } from '#identity/jwk.js';
import { signJws } from '#identity/jws.js';
import { newP256Key } from '#identity/new-key.js';
import { AgentError } from './agent-error.js';

const isMissing = (error: unknown) => (error as NodeJS.ErrnoException).code === 'ENOENT';
const isThere = (error: unknown) => (error as NodeJS.ErrnoException).code === 'EEXIST';

export class ProofKey {
  readonly publicJwk: EcPublicJwk;
  /** RFC 7638 SHA-256 thumbprint of the public key, base64url. */
  readonly thumbprint: string;
  readonly #private: KeyObject;

  private constructor(key: KeyObject) {
    const { x, y } = createPublicKey(key).export({ format: 'jwk' });
    this.publicJwk = { kty: 'EC', crv: 'P-256', x: x!, y: y! };
    this.thumbprint = thumbprint(this.publicJwk);
    this.#private = key;
  }

  static generate(): ProofKey {
    return new ProofKey(newP256Key().privateKey);
  }

  /**
   * Reads a private JWK.
   * @throws AgentError ERR_KEY_FILE_INVALID when the file holds anything but a P-256 private key; the file system's own errors.
   */
  static async load(path: string): Promise<ProofKey> {
    const text = await readFile(path, 'utf8');
    let key: KeyObject;
    try {
      key = createPrivateKey({ key: JSON.parse(text) as JsonWebKey, format: 'jwk' });
    } catch {
      // No cause: a parser's message quotes the text it stumbled on, and this text is a private key.
      throw new AgentError('ERR_KEY_FILE_INVALID', 'not a private JWK', { path });
    }
    if (key.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
      throw new AgentError('ERR_KEY_FILE_INVALID', 'not a P-256 key', { path });
    return new ProofKey(key);
  }

  /** The key of this file, made there if there is none. Two processes that ask at once get the same key. */
  static async loadOrCreate(path: string): Promise<ProofKey> {
    try {
      return await ProofKey.load(path);
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    const fresh = ProofKey.generate();
    return (await fresh.save(path)) ? fresh : ProofKey.load(path);
  }

  /** Writes the private key as a JWK, mode 0600. @returns false, with nothing changed, if the file is already there. */
  async save(path: string): Promise<boolean> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const draft = `${path}.${uuidV4()}`;
    await writeFile(draft, `${JSON.stringify(this.#private.export({ format: 'jwk' }))}\n`, {
      mode: 0o600,
      flag: 'wx',
    });
    try {
      // A link appears whole or not at all, and never over another key.
      await link(draft, path);
      return true;
    } catch (error) {
      if (isThere(error)) return false;
      throw error;
    } finally {
      await rm(draft, { force: true });
    }
  }

  /** A compact JWS with `alg` ES256 (RFC 7515 §7.1, RFC 7518 §3.4) over a JSON payload. */
  signJws(header: Record<string, unknown>, payload: Record<string, unknown>): string {
    return signJws({ ...header, alg: 'ES256' }, payload, this.#private);
  }
}
