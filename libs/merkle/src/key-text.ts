/**
 * Keys as text (C2SP signed-note v1.0.0; golang.org/x/mod/sumdb/note). `name+<key id, 8 hex>+<base64(type ‖ 32-byte public key)>`
 * verifies, `PRIVATE+KEY+name+<key id>+<base64(type ‖ 32-byte seed)>` signs.
 */
import { fromBase64, toBase64 } from './base64.js';
import { concat, readUint32, utf8 } from './bytes.js';
import { MerkleError } from './errors.js';
import type { Platform, Sha256 } from './platform.js';

/** What a key signs: the text of a note, or a cosignature, which also says when it was made. Both with Ed25519. */
export type KeyType = 'ed25519' | 'cosignature';
const TYPE_BYTE: Record<KeyType, number> = { ed25519: 0x01, cosignature: 0x04 };
/** Of a public key, and of the seed of a private one. */
const KEY_BYTES = 32;
const PRIVATE = 'PRIVATE+KEY+';

/** `keyId` is a short identifier, not a fingerprint. */
export interface PublicKey {
  type: KeyType;
  name: string;
  keyId: number;
  publicKey: Uint8Array;
}

/** A private key, made ready. `vkey` is the public half, as text. */
export interface PrivateKey extends PublicKey {
  vkey: string;
  sign: (message: Uint8Array) => Uint8Array;
}

/** Not empty, no Unicode space, no plus sign. */
export const isKeyName = (name: string): boolean =>
  name !== '' && name.isWellFormed() && !/[\s+\u0085\p{Z}\p{Cc}]/u.test(name);

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed key of this type whose id is right. */
export function parsePublicKey({ sha256 }: Pick<Platform, 'sha256'>, vkey: string, type: KeyType): PublicKey {
  const { name, keyId, key: publicKey } = parts(vkey, type);
  if (keyIdOf(sha256, type, name, publicKey) !== keyId) throw bad('the key id does not belong to the key');
  return { type, name, keyId, publicKey };
}

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed key of this type whose id is right. */
export function parsePrivateKey(platform: Platform, skey: string, type: KeyType): PrivateKey {
  if (!skey.startsWith(PRIVATE)) throw bad('not a private note key');
  const { name, keyId, key: seed } = parts(skey.slice(PRIVATE.length), type);
  const key = privateKey(platform, name, seed, type);
  if (key.keyId !== keyId) throw bad('the key id does not belong to the key');
  return key;
}

/**
 * Both halves of a key as text, out of 32 random bytes; `skey` is a secret.
 * @throws MerkleError ERR_NOTE_KEY_INVALID for a name no key may have.
 */
export function keyPair(
  platform: Platform,
  name: string,
  seed: Uint8Array,
  type: KeyType = 'ed25519',
): { skey: string; vkey: string } {
  if (!isKeyName(name)) throw bad('no key may have this name');
  if (seed.length !== KEY_BYTES) throw bad('a seed is 32 bytes');
  const { keyId, vkey } = privateKey(platform, name, seed, type);
  return { skey: `${PRIVATE}${keyText(type, name, keyId, seed)}`, vkey };
}

function privateKey(
  { sha256, ed25519 }: Platform,
  name: string,
  seed: Uint8Array,
  type: KeyType,
): PrivateKey {
  const { publicKey, sign } = ed25519.signer(seed);
  const keyId = keyIdOf(sha256, type, name, publicKey);
  return { type, name, keyId, publicKey, vkey: keyText(type, name, keyId, publicKey), sign };
}

/** SHA-256(name ‖ newline ‖ type ‖ public key), its first four bytes. */
const keyIdOf = (sha256: Sha256, type: KeyType, name: string, publicKey: Uint8Array): number =>
  readUint32(sha256(concat(utf8(`${name}\n`), Uint8Array.of(TYPE_BYTE[type]), publicKey)));

const keyText = (type: KeyType, name: string, keyId: number, key: Uint8Array): string =>
  `${name}+${keyId.toString(16).padStart(8, '0')}+${toBase64(concat(Uint8Array.of(TYPE_BYTE[type]), key))}`;

function parts(text: string, type: KeyType): { name: string; keyId: number; key: Uint8Array } {
  // Only base64 may hold a further plus sign, so the first two end the name and the id.
  const match = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(text);
  if (match === null) throw bad('not a note key');
  const [, name = '', id = '', encoded = ''] = match;
  const bytes = fromBase64(encoded);
  if (!isKeyName(name) || bytes === undefined) throw bad('not a note key');
  if (bytes[0] !== TYPE_BYTE[type]) throw bad('the note key is of another type');
  if (bytes.length !== 1 + KEY_BYTES) throw bad('the note key is of another length');
  return { name, keyId: Number.parseInt(id, 16), key: bytes.subarray(1) };
}

const bad = (message: string): MerkleError => new MerkleError('ERR_NOTE_KEY_INVALID', message);
