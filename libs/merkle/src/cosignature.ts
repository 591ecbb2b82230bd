/**
 * Cosignatures (C2SP tlog-cosignature v1.0.1, type 0x04): a witness says that at this time the checkpoint was the largest it
 * had seen of the log, and consistent with all it had seen before. In a note, the signature is `time, 8 bytes ‖ Ed25519, 64 bytes`.
 */
import { concat, readUint64, uint64, utf8 } from './bytes.js';
import { parseCheckpointText } from './checkpoint.js';
import { MerkleError } from './errors.js';
import { parsePrivateKey, parsePublicKey } from './key-text.js';
import { signatureLine } from './note.js';
import type { NoteVerifier } from './note-key.js';
import type { Platform } from './platform.js';

const TIME_BYTES = 8;
const SIGNATURE_BYTES = TIME_BYTES + 64;
const MAX_TIME = 2n ** 63n - 1n;

export interface Cosigner {
  readonly name: string;
  readonly keyId: number;
  /** The public half, as text. */
  readonly vkey: string;
  /**
   * The signature line for the text of a checkpoint, without a look at what was signed before: that is the witness' part.
   * @param atS POSIX time @throws MerkleError ERR_CHECKPOINT_MALFORMED for another text, ERR_RANGE_INVALID for another time
   */
  cosign(text: string, atS: bigint): string;
}

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed cosignature key whose id is right. */
export function parseWitness(platform: Platform, vkey: string): NoteVerifier {
  const key = parsePublicKey(platform, vkey, 'cosignature');
  const verify = platform.ed25519.verifier(key.publicKey);
  return {
    ...key,
    verify: (text, signature) => {
      if (signature.length !== SIGNATURE_BYTES) return false;
      const atS = cosignedAtS(signature);
      return atS <= MAX_TIME && verify(message(text, atS), signature.subarray(TIME_BYTES));
    },
  };
}

/** @throws MerkleError ERR_NOTE_KEY_INVALID for anything but a well-formed cosignature key whose id is right. */
export function parseCosigner(platform: Platform, skey: string): Cosigner {
  const { name, keyId, vkey, sign } = parsePrivateKey(platform, skey, 'cosignature');
  return {
    ...{ name, keyId, vkey },
    cosign: (text, atS) => {
      parseCheckpointText(text);
      if (atS < 0n || atS > MAX_TIME) throw new MerkleError('ERR_RANGE_INVALID', 'not a POSIX time');
      return signatureLine(name, keyId, concat(uint64(atS), sign(message(utf8(text), atS))));
    },
  };
}

/** When a verified cosignature says that it was made: POSIX time. Requires eight bytes. */
export const cosignedAtS = (signature: Uint8Array): bigint => readUint64(signature);

const message = (text: Uint8Array, atS: bigint): Uint8Array =>
  concat(utf8(`cosignature/v1\ntime ${atS}\n`), text);
