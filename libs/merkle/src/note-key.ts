/**
 * Keys of signed notes (C2SP signed-note v1.0.0; text forms of golang.org/x/mod/sumdb/note), type 0x01: Ed25519.
 * `name+<key id, 8 hex>+<base64(type ‖ 32-byte public key)>` verifies; `PRIVATE+KEY+name+<key id>+<base64(type ‖ 32-byte seed)>` signs.
 */
import { createPrivateKey, createPublicKey, randomBytes, sign, verify, type KeyObject } from 'node:crypto';
import { fromBase64, toBase64 } from './base64.js';
import { MerkleError } from './errors.js';
import { sha256 } from './hash.js';

const ED25519 = 0x01;
const KEY_BYTES = 32;
/** PKCS #8 of an Ed25519 seed (RFC 8410 §7) is this and the seed. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key that notes are trusted for. `keyId` is a short identifier, not a fingerprint. */
export interface NoteVerifier {
  readonly name: string;
  readonly keyId: number;
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  /** The public half, as text. */
  readonly vkey: string;
  sign(text: Uint8Array): Uint8Array;
}

const bad = (message: string): MerkleError => new MerkleError('ERR_NOTE_KEY_INVALID', message);

/** Not empty, no Unicode space, no plus sign. */
export const isKeyName = (name: string): boolean =>
  name !== '' && name.isWellFormed() && !/[\s+\u0085\p{Z}\p{Cc}]/u.test(name);

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed Ed25519 key whose id is right. */
export function parseVerifier(vkey: string): NoteVerifier {
  const { name, keyId, key } = parts(vkey);
  if (keyIdOf(name, key) !== keyId) throw bad('the key id does not belong to the key');
  const x = Buffer.from(key).toString('base64url');
  const publicKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  return {
    name,
    keyId,
    verify: (text, signature) => signature.length === 64 && verify(null, text, publicKey, signature),
  };
}

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed Ed25519 key whose id is right. */
export function parseSigner(skey: string): NoteSigner {
  const prefix = 'PRIVATE+KEY+';
  if (!skey.startsWith(prefix)) throw bad('not a private note key');
  const { name, keyId, key } = parts(skey.slice(prefix.length));
  const signer = signerOf(name, key);
  if (signer.keyId !== keyId) throw bad('the key id does not belong to the key');
  return signer;
}

/** A fresh key pair, both halves as text; `skey` is a secret. @throws MerkleError ERR_NOTE_KEY_INVALID for a name no key may have. */
export function generateNoteKey(name: string): { skey: string; vkey: string } {
  if (!isKeyName(name)) throw bad('no key may have this name');
  const seed = randomBytes(KEY_BYTES);
  const { keyId, vkey } = signerOf(name, seed);
  return { skey: `PRIVATE+KEY+${name}+${hex(keyId)}+${typed(seed)}`, vkey };
}

function signerOf(name: string, seed: Uint8Array): NoteSigner {
  const privateKey = createPrivateKey({
    key: Buffer.concat([PKCS8_PREFIX, seed]),
    format: 'der',
    type: 'pkcs8',
  });
  const publicBytes = rawPublicKey(privateKey);
  const keyId = keyIdOf(name, publicBytes);
  return {
    name,
    keyId,
    vkey: `${name}+${hex(keyId)}+${typed(publicBytes)}`,
    sign: (text) => sign(null, text, privateKey),
  };
}

function rawPublicKey(privateKey: KeyObject): Uint8Array {
  const { x } = createPublicKey(privateKey).export({ format: 'jwk' });
  return Buffer.from(x as string, 'base64url');
}

/** SHA-256(name ‖ newline ‖ type ‖ public key), its first four bytes. */
const keyIdOf = (name: string, publicKey: Uint8Array): number =>
  Buffer.from(sha256(Buffer.from(`${name}\n`), Uint8Array.of(ED25519), publicKey)).readUInt32BE(0);

const hex = (keyId: number): string => keyId.toString(16).padStart(8, '0');
const typed = (key: Uint8Array): string => toBase64(Buffer.concat([Uint8Array.of(ED25519), key]));

function parts(text: string): { name: string; keyId: number; key: Uint8Array } {
  // Only base64 may hold a further plus sign, so the first two end the name and the id.
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
  if (match === null) throw bad('not a note key');
  const [, name = '', id = '', encoded = ''] = match;
  const bytes = fromBase64(encoded);
  if (!isKeyName(name) || bytes === undefined) throw bad('not a note key');
  if (bytes[0] !== ED25519 || bytes.length !== 1 + KEY_BYTES) throw bad('not an Ed25519 note key');
  return { name, keyId: Number.parseInt(id, 16), key: bytes.subarray(1) };
}
