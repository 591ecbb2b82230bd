/** The published tree of eight entries as a log, and two witnesses: fixed keys, so every signature is known beforehand. */
import { hasher } from '../node/hasher.js';
import { parseCosigner, parseSigner, platform } from '../node/keys.js';
import { checkpointText } from '../src/checkpoint.js';
import { append, EMPTY_RANGE, rootOf } from '../src/compact-range.js';
import type { Hash } from '../src/hash.js';
import { keyPair } from '../src/key-text.js';
import { signNote } from '../src/note.js';
import { PUBLISHED_INPUTS, unhex } from './leaves.js';

export const ORIGIN = 'audit.example/log';
/** RFC 8037 appendix A.1. */
const LOG_SEED = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url');
/** RFC 8032 §7.1, TEST 2 and TEST 3. */
const WITNESS_SEEDS = [
  '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
  'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
].map(unhex);

export const logKey = keyPair(platform, ORIGIN, LOG_SEED);
export const logSigner = parseSigner(logKey.skey);
export const witnessKeys = WITNESS_SEEDS.map((seed, i) =>
  keyPair(platform, `witness.example/w${i + 1}`, seed, 'cosignature'),
);
export const cosigners = witnessKeys.map(({ skey }) => parseCosigner(skey));

export const leafHashes = PUBLISHED_INPUTS.map((input) => hasher.leaf(input));
export const rootAt = (size: number): Hash =>
  rootOf(hasher, append(hasher, EMPTY_RANGE, leafHashes.slice(0, size)));
export const textAt = (size: number, root = rootAt(size)): string =>
  checkpointText({ origin: ORIGIN, size: BigInt(size), root });
export const noteAt = (size: number): string => signNote(textAt(size), [logSigner]);

/** 2026-07-31T11:33:20Z */
export const AT_S = 1_785_500_000n;
/** The checkpoint of size 8 with the cosignatures of these witnesses. */
export const cosigned = (...by: number[]): string =>
  noteAt(8) + by.map((i) => cosigners[i]!.cosign(textAt(8), AT_S)).join('');
