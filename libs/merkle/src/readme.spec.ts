/** What README.md shows, compiled and run as a browser would: on another SHA-256 and another Ed25519 than Node's. */
// begin imports
import { ed25519 as curve } from '@noble/curves/ed25519.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { treeHasher } from './hash.js';
import type { Platform } from './platform.js';
import { verifyTlogProofUnder } from './tlog-proof.js';
import { parseTrustPolicy } from './trust-policy.js';
// end imports
import { hasher as onNode } from '../node/hasher.js';
import * as node from '../node/keys.js';
import { nodeReader, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { AT_S, cosigned, leafHashes, logKey, textAt, witnessKeys } from '../spec/sample-log.js';
import { itShowsCompiledCode } from '../../../test/support/snippets.js';
import { append, EMPTY_RANGE, rootOf } from './compact-range.js';
import { parseCosigner } from './cosignature.js';
import { parseSigner } from './note-key.js';
import { signNote } from './note.js';
import { proveInclusion } from './proof.js';
import { formatTlogProof } from './tlog-proof.js';

itShowsCompiledCode('libs/merkle/README.md', 'libs/merkle/src/readme.spec.ts');

// begin platform
const platform: Platform = {
  sha256,
  ed25519: {
    // As RFC 8032 has it: without the leniency of ZIP 215, which is noble's default.
    verifier: (publicKey) => (message, signature) =>
      curve.verify(signature, message, publicKey, { zip215: false }),
    signer: (seed) => ({
      publicKey: curve.getPublicKey(seed),
      sign: (message) => curve.sign(message, seed),
    }),
  },
};
const hasher = treeHasher(platform.sha256);
// end platform

const policyText = `log ${logKey.vkey}\nwitness w1 ${witnessKeys[0]!.vkey}\nquorum w1\n`;
const proofText = formatTlogProof({
  index: 5n,
  proof: proveInclusion(onNode, 5n, 8n, nodeReader(leafHashes)),
  checkpoint: cosigned(0),
});
const entryBytes = PUBLISHED_INPUTS[5]!;

it('verifies an entry offline', () => {
  // begin verify
  const policy = parseTrustPolicy(platform, policyText);
  const proven = verifyTlogProofUnder(hasher, proofText, entryBytes, policy);
  const { index, checkpoint, cosigned: seen } = proven;
  // end verify
  expect(index).toBe(5n);
  expect(checkpoint.size).toBe(8n);
  expect(seen.map(({ witness }) => witness.name)).toEqual(['w1']);
  expect(() => verifyTlogProofUnder(hasher, proofText, PUBLISHED_INPUTS[4]!, policy)).toThrow();
});

it('keeps a log of its own', () => {
  const entries = PUBLISHED_INPUTS;
  // begin append
  const leaves = entries.map((entry) => hasher.leaf(entry));
  const range = append(hasher, EMPTY_RANGE, leaves);
  const root = rootOf(hasher, range);
  // end append
  expect(textAt(8, root)).toBe(textAt(8));
});

describe('two implementations of the platform', () => {
  it('hash the same', () => {
    for (const bytes of [0, 1, 55, 56, 64, 700, 65_536]) {
      const entry = Buffer.alloc(bytes, 3);
      expect(Buffer.from(hasher.leaf(entry)).equals(onNode.leaf(entry))).toBe(true);
    }
  });

  it('sign and cosign the same, byte for byte', () => {
    const [witness] = witnessKeys;
    expect(signNote(textAt(8), [parseSigner(platform, logKey.skey)])).toBe(
      signNote(textAt(8), [node.parseSigner(logKey.skey)]),
    );
    expect(parseCosigner(platform, witness!.skey).cosign(textAt(8), AT_S)).toBe(
      node.parseCosigner(witness!.skey).cosign(textAt(8), AT_S),
    );
  });

  it('answer false to bytes that are no key and no signature, and throw nothing', () => {
    const message = Buffer.from('m');
    for (const { ed25519 } of [platform, node.platform])
      for (const key of [Buffer.alloc(32), Buffer.alloc(32, 0xff), Buffer.alloc(32, 2)])
        for (const signature of [Buffer.alloc(64, 0xff), Buffer.alloc(64, 7), Buffer.alloc(64)])
          expect(ed25519.verifier(key)(message, signature)).toBe(false);
  });
});
