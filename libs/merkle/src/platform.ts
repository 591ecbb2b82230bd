/** What this library needs of the platform it runs on. `../node` has it for Node; a browser brings its own. */

/** SHA-256 (FIPS 180-4): a fresh array of 32 bytes. The input is lent: it must not be kept, and is overwritten afterwards. */
export type Sha256 = (bytes: Uint8Array) => Uint8Array;

/** Ed25519 (RFC 8032), made ready once for each key. */
export interface Ed25519 {
  /** Of a 32-byte public key, for 64-byte signatures. False for all that does not verify, be the key no key: it never throws. */
  verifier(publicKey: Uint8Array): (message: Uint8Array, signature: Uint8Array) => boolean;
  /** Of a 32-byte seed. */
  signer(seed: Uint8Array): { publicKey: Uint8Array; sign: (message: Uint8Array) => Uint8Array };
}

/** What keys are read and made with. */
export interface Platform {
  sha256: Sha256;
  ed25519: Ed25519;
}
