/** The keys that a log signs with (C2SP signed-note v1.0.0, type 0x01: Ed25519 over the text of the note). */
import { parsePrivateKey, parsePublicKey, type PublicKey } from './key-text.js';
import type { Platform } from './platform.js';

const SIGNATURE_BYTES = 64;

/** A key that notes are trusted for: a log's, or a witness' of `cosignature.ts`. */
export interface NoteVerifier extends Readonly<PublicKey> {
  verify(text: Uint8Array, signature: Uint8Array): boolean;
}

export interface NoteSigner {
  readonly name: string;
  readonly keyId: number;
  /** The public half, as text. */
  readonly vkey: string;
  sign(text: Uint8Array): Uint8Array;
}

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed Ed25519 key whose id is right. */
export function parseVerifier(platform: Platform, vkey: string): NoteVerifier {
  const key = parsePublicKey(platform, vkey, 'ed25519');
  const verify = platform.ed25519.verifier(key.publicKey);
  return {
    ...key,
    verify: (text, signature) => signature.length === SIGNATURE_BYTES && verify(text, signature),
  };
}

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed Ed25519 key whose id is right. */
export function parseSigner(platform: Platform, skey: string): NoteSigner {
  const { name, keyId, vkey, sign } = parsePrivateKey(platform, skey, 'ed25519');
  return { name, keyId, vkey, sign };
}
