/**
 * A key to seal to that lives as long as one request: what is sealed to it can be stored, and nobody but this process ever opens it.
 * The other half of `seal.ts`, for P-256.
 */
import { createDecipheriv, createECDH, type ECDH } from 'node:crypto';
import type { SealKey } from '#events/inbound.js';
import { decodeBase64url, isObject, parseJson } from './bytes.js';
import { concatKdf, SEAL_TYP, sealKeyThumbprint } from './seal.js';

export class PassingKey {
  readonly publicJwk: Extract<SealKey, { kty: 'EC' }>;
  readonly #ecdh: ECDH;

  constructor() {
    this.#ecdh = createECDH('prime256v1');
    const point = this.#ecdh.generateKeys();
    const text = (from: number) => point.subarray(from, from + 32).toString('base64url');
    this.publicJwk = { kty: 'EC', crv: 'P-256', x: text(1), y: text(33) };
  }

  /** @returns what was sealed; undefined for what was not sealed to this key by `sealCredential`, or was changed. */
  open(envelope: string): Record<string, unknown> | undefined {
    const [header = '', key, ...rest] = envelope.split('.');
    const [iv, sealed, tag] = rest.map(decodeBase64url);
    const said = parseJson(decodeBase64url(header) ?? Buffer.alloc(0));
    if (key !== '' || rest.length !== 3 || !said.ok || !isObject(said.value)) return undefined;
    const { typ, kid, epk } = said.value;
    const ours = sealKeyThumbprint(this.publicJwk);
    const point = isObject(epk) ? pointOf(epk) : undefined;
    if (typ !== SEAL_TYP || kid !== ours || point === undefined) return undefined;
    if (iv === undefined || sealed === undefined || tag?.length !== 16) return undefined;
    try {
      const decipher = createDecipheriv('aes-256-gcm', concatKdf(this.#ecdh.computeSecret(point)), iv, {
        authTagLength: 16,
      });
      decipher.setAAD(Buffer.from(header, 'latin1'));
      decipher.setAuthTag(tag);
      const plaintext = parseJson(Buffer.concat([decipher.update(sealed), decipher.final()]));
      return plaintext.ok && isObject(plaintext.value) ? plaintext.value : undefined;
    } catch {
      // A point off the curve, or a tag that does not fit.
      return undefined;
    }
  }
}

function pointOf({ x, y }: Record<string, unknown>): Buffer | undefined {
  const [first, second] = [x, y].map((text) =>
    typeof text === 'string' ? decodeBase64url(text) : undefined,
  );
  if (first?.length !== 32 || second?.length !== 32) return undefined;
  return Buffer.concat([Buffer.of(0x04), first, second]);
}
