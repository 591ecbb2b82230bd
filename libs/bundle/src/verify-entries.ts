/**
 * The leaves of a bundle against the tree. `hashes.bin` has the hash of each entry as the log keeps it: together with the subtrees
 * beside the range they must give the signed root, and each leaf must have its hash. So what was altered is known by its number.
 */
import { HashList, Lines, type Digest } from './bundle-files.js';
import { EntryFindings } from './findings.js';
import type { Manifest } from './manifest.js';
import { appendLeaves, edgeRoot, leafHash, sameHash, type Edge, type Hash } from './merkle.js';
import { closeEdge, edgeOf } from './range.js';

const BATCH = 4_096;

export interface EntriesVerdict {
  findings: EntryFindings;
  /** Of the whole tree, as the hashes give it; undefined if they are too few or too many for it. */
  root: Hash | undefined;
  /** Of the tree at the size asked for. */
  rootThen: Hash | undefined;
  entries: Digest;
  hashes: Digest;
  /** Has every line its end, and no line more than an entry? */
  isWhole: boolean;
}

/** @param then a size for which the root is wanted as well, if the range reaches it: `from <= then <= to` */
export function verifyEntries(
  lines: Lines,
  hashes: HashList,
  manifest: Manifest,
  then?: bigint,
): EntriesVerdict {
  const { from, to, proof, checkpoint } = manifest;
  const findings = new EntryFindings();
  let edge = edgeOf(BigInt(from), proof.left);
  let rootThen: Hash | undefined;
  let seq = from;
  while (seq < to) {
    if (edge?.size === then) rootThen = edge && edgeRoot(edge);
    // A batch ends where the root is wanted.
    const untilThen = then === undefined || then <= BigInt(seq) ? Infinity : Number(then) - seq;
    const batch = hashes.next(Math.min(BATCH, to - seq, untilThen));
    if (batch.length === 0) break;
    for (const hash of batch) {
      const leaf = lines.next();
      if (leaf === undefined) findings.add('ERR_BUNDLE_ENTRY_MISSING', seq);
      else if (!sameHash(leafHash(leaf), hash)) findings.add('ERR_BUNDLE_ENTRY_ALTERED', seq);
      seq += 1;
    }
    edge = edge && appendLeaves(edge, batch);
  }
  if (edge?.size === then) rootThen = edge && edgeRoot(edge);
  if (seq === to && lines.next() !== undefined) findings.add('ERR_BUNDLE_ENTRY_SURPLUS', to);
  return {
    findings,
    root: rootOfAll(edge, BigInt(checkpoint.size), proof.right),
    rootThen,
    isWhole: lines.isWhole,
    entries: lines.digest(),
    hashes: hashes.digest(),
  };
}

function rootOfAll(edge: Edge | undefined, size: bigint, right: readonly Hash[]): Hash | undefined {
  const closed = edge && closeEdge(edge, size, right);
  return closed && edgeRoot(closed);
}
