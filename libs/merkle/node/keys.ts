/** Reading and making keys on Node. What they are, and how they refuse, is said in `../src`. */
import { randomBytes } from 'node:crypto';
import {
  parseCosigner as readCosigner,
  parseWitness as readWitness,
  type Cosigner,
} from '../src/cosignature.js';
import { keyPair } from '../src/key-text.js';
import { parseSigner as readSigner, parseVerifier as readVerifier } from '../src/note-key.js';
import type { NoteSigner, NoteVerifier } from '../src/note-key.js';
import type { Platform } from '../src/platform.js';
import { parseTrustPolicy as readTrustPolicy, type TrustPolicy } from '../src/trust-policy.js';
import { ed25519 } from './ed25519.js';
import { sha256 } from './hasher.js';

export const platform: Platform = { sha256, ed25519 };

export const parseVerifier = (vkey: string): NoteVerifier => readVerifier(platform, vkey);
export const parseSigner = (skey: string): NoteSigner => readSigner(platform, skey);
export const parseWitness = (vkey: string): NoteVerifier => readWitness(platform, vkey);
export const parseCosigner = (skey: string): Cosigner => readCosigner(platform, skey);
export const parseTrustPolicy = (text: string): TrustPolicy => readTrustPolicy(platform, text);

/** A fresh key of a log. `skey` is a secret. @throws MerkleError ERR_NOTE_KEY_INVALID for a name no key may have. */
export const generateNoteKey = (name: string) => keyPair(platform, name, randomBytes(32));
/** A fresh key of a witness. `skey` is a secret. @throws MerkleError ERR_NOTE_KEY_INVALID for a name no key may have. */
export const generateWitnessKey = (name: string) => keyPair(platform, name, randomBytes(32), 'cosignature');
