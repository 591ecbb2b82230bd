/**
 * The 98 + 98 probes that transparency-dev/merkle publishes (testdata/, 417fb0c, Apache-2.0), by their names. Their 196 files are a few
 * good proofs over the eight published inputs, and for each the same changes, so they are rebuilt here instead of kept;
 * `probes.spec.ts` compares twelve with what their files say.
 */
import { hasher } from '../node/hasher.js';
import { append, EMPTY_RANGE, rootOf } from '../src/compact-range.js';
import type { Hash } from '../src/hash.js';
import { proveConsistency, proveInclusion } from '../src/proof.js';
import { nodeReader, PUBLISHED_INPUTS, unhex } from './leaves.js';

export interface InclusionProbe {
  name: string;
  index: bigint;
  size: bigint;
  root: Uint8Array;
  leafHash: Uint8Array;
  proof: readonly Uint8Array[];
  good?: true;
}

export interface ConsistencyProbe {
  name: string;
  size1: bigint;
  size2: bigint;
  root1: Uint8Array;
  root2: Uint8Array;
  proof: readonly Uint8Array[];
  good?: true;
}

const leaves = PUBLISHED_INPUTS.map((input) => hasher.leaf(input));
const read = nodeReader(leaves);
const root = (n: bigint): Hash => rootOf(hasher, append(hasher, EMPTY_RANGE, leaves.slice(0, Number(n))));
const SOME_HASH = unhex('abacaba000000000000000000000000000000000000000000060061e00123456');
const { emptyRoot: EMPTY_ROOT } = hasher;
const NOTHING = new Uint8Array(0);
/** Indices and sizes are 64 bits wide there, and wrap. */
const wrapped = (value: bigint): bigint => BigInt.asUintN(64, value);
const flipped = (hash: Uint8Array, mask: number): Uint8Array =>
  Uint8Array.from(hash, (byte, at) => (at === 0 ? byte ^ mask : byte));

const GOOD_INCLUSIONS = [
  [0n, 1n],
  [0n, 8n],
  [5n, 8n],
  [2n, 3n],
  [1n, 5n],
] as const;

export function inclusionProbes(): InclusionProbe[] {
  const probes = GOOD_INCLUSIONS.flatMap(([index, size], at) => {
    const leafHash = leaves[Number(index)] as Hash;
    const good = {
      index,
      size,
      root: root(size),
      leafHash,
      proof: proveInclusion(hasher, index, size, read),
    };
    return named(`inclusion/${at}`, good, tamperedInclusion(good));
  });
  const outside = [
    [0n, 0n],
    [0n, 1n],
    [1n, 0n],
    [2n, 1n],
  ].flatMap(([index = 0n, size = 0n], at) => {
    const base = { index, size, proof: [] };
    return named(`inclusion/additional/${at}`, undefined, {
      'random-leaf': { ...base, leafHash: SOME_HASH, root: NOTHING },
      'empty-root': { ...base, leafHash: NOTHING, root: EMPTY_ROOT },
      'empty-root-and-random-leaf': { ...base, leafHash: SOME_HASH, root: EMPTY_ROOT },
    });
  });
  const only = hasher.leaf(Buffer.from('data'));
  const single = { index: 0n, size: 1n, proof: [] };
  const folder = 'inclusion/single-entry';
  return [
    ...probes,
    ...outside,
    { name: `${folder}/matching-root-and-leaf`, ...single, root: only, leafHash: only, good: true },
    { name: `${folder}/empty-leaf`, ...single, root: only, leafHash: NOTHING },
    { name: `${folder}/empty-root`, ...single, root: NOTHING, leafHash: only },
    { name: `${folder}/empty-root-and-leaf`, ...single, root: NOTHING, leafHash: NOTHING },
  ];
}

type Inclusion = Omit<InclusionProbe, 'name' | 'good'>;

function tamperedInclusion(good: Inclusion): Record<string, Inclusion> {
  const { index, size, proof } = good;
  const [first, ...rest] = proof;
  return {
    'leafIndex---1': { ...good, index: wrapped(index - 1n) },
    'leafIndex-+-1': { ...good, index: index + 1n },
    'leafIndex-^-2': { ...good, index: index ^ 2n },
    'treeSize-*-2': { ...good, size: size * 2n },
    'treeSize-div-2': { ...good, size: size / 2n },
    'wrong-leaf': { ...good, leafHash: Buffer.from('WrongLeaf') },
    'empty-root': { ...good, root: EMPTY_ROOT },
    'random-root': { ...good, root: SOME_HASH },
    'trailing-garbage': { ...good, proof: [...proof, NOTHING] },
    'trailing-root': { ...good, proof: [...proof, good.root] },
    'preceding-garbage': { ...good, proof: [NOTHING, ...proof] },
    'preceding-root': { ...good, proof: [good.root, ...proof] },
    ...withFlips(proof, 3, (other) => ({ ...good, proof: other })),
    ...(first === undefined ? {} : { 'removed-component': { ...good, proof: proof.slice(0, -1) } }),
    ...(first === undefined || rest.length === 0
      ? {}
      : { 'inserted-component': { ...good, proof: [first, SOME_HASH, ...rest] } }),
  };
}

const GOOD_CONSISTENCIES = [
  [1n, 1n],
  [1n, 8n],
  [6n, 8n],
  [2n, 5n],
  [6n, 7n],
] as const;

export function consistencyProbes(): ConsistencyProbe[] {
  const probes = GOOD_CONSISTENCIES.flatMap(([size1, size2], at) => {
    const proof = proveConsistency(hasher, size1, size2, read);
    const good = { size1, size2, root1: root(size1), root2: root(size2), proof };
    return named(`consistency/${at}`, good, proof.length === 0 ? {} : tamperedConsistency(good));
  });
  return [...probes, ...additionalConsistencies()];
}

type Consistency = Omit<ConsistencyProbe, 'name' | 'good'>;

function tamperedConsistency(good: Consistency): Record<string, Consistency> {
  const { size1, size2, root1, root2, proof } = good;
  const wrongRoot = Buffer.from('WrongRoot');
  return {
    'size1---1': { ...good, size1: wrapped(size1 - 1n) },
    'size1-+-1': { ...good, size1: size1 + 1n },
    'size1-^-2': { ...good, size1: size1 ^ 2n },
    'size2-*-2': { ...good, size2: size2 * 2n },
    'size2-div-2': { ...good, size2: size2 / 2n },
    'wrong-root1': { ...good, root1: wrongRoot },
    'wrong-root2': { ...good, root2: wrongRoot },
    'swapped-roots': { ...good, root1: root2, root2: root1 },
    'empty-proof': { ...good, proof: [] },
    'trailing-garbage': { ...good, proof: [...proof, NOTHING] },
    'trailing-root1': { ...good, proof: [...proof, root1] },
    'trailing-root2': { ...good, proof: [...proof, root2] },
    'preceding-garbage': { ...good, proof: [NOTHING, ...proof] },
    'preceding-root1': { ...good, proof: [root1, ...proof] },
    'preceding-root2': { ...good, proof: [root2, ...proof] },
    'preceding-proof[0]': { ...good, proof: [...proof.slice(0, 1), ...proof] },
    'truncated-proof': { ...good, proof: proof.slice(0, -1) },
    ...withFlips(proof, 4, (other) => ({ ...good, proof: other })),
  };
}

function additionalConsistencies(): ConsistencyProbe[] {
  const [one, two] = [Buffer.from("don't care 1"), Buffer.from("don't care 2")];
  const of = (
    name: string,
    [size1, size2]: [bigint, bigint],
    [root1, root2]: [Uint8Array, Uint8Array],
    proof: Uint8Array[] = [],
  ): ConsistencyProbe => ({ name: `consistency/additional/${name}`, size1, size2, root1, root2, proof });
  const empty: [Uint8Array, Uint8Array] = [EMPTY_ROOT, EMPTY_ROOT];
  return [
    of('sizes-are-equal-(zero)-but-roots-are-not', [0n, 0n], [one, two]),
    of('sizes-are-equal-(one)-but-roots-are-not', [1n, 1n], [one, two]),
    of('sizes-are-equal-zero-and-proof-is-empty', [0n, 0n], [one, one]),
    { ...of('sizes-are-equal-one-and-proof-is-empty', [1n, 1n], [two, two]), good: true },
    of('size1-is-zero-and-does-not-equal-size2', [0n, 1n], [one, two]),
    of('size1-is-zero-and-size2-is-not-zero', [0n, 1n], [EMPTY_ROOT, two]),
    of('size1-is-greater-than-size2', [1n, 0n], [one, two]),
    of('size1-is-greater-than-size2-again', [2n, 1n], [one, two]),
    of('sizes-do-not-watch-and-proof-is-empty', [1n, 2n], [one, two]),
    of('roots-do-not-match-and-sizes-are-zero', [0n, 0n], [EMPTY_ROOT, two]),
    of('roots-do-not-not-match-and-sizes-are-one', [1n, 1n], [EMPTY_ROOT, two]),
    of('sizes-match-but-proof-is-not-empty-and-sizes-are-zero', [0n, 0n], empty, [EMPTY_ROOT]),
    of('consistency-check-on-empty-tree-(size1-is-zero)-is-useless', [0n, 1n], empty, [EMPTY_ROOT]),
    of('sizes-match-but-proof-is-not-empty-and-sizes-are-one', [1n, 1n], empty, [EMPTY_ROOT]),
  ];
}

/** The proof with one bit flipped, once for each of its hashes. */
function withFlips<T>(
  proof: readonly Uint8Array[],
  bit: number,
  probe: (proof: readonly Uint8Array[]) => T,
): Record<string, T> {
  return Object.fromEntries(
    proof.map((hash, at) => [
      `modified-proof[${at}]-bit-${bit}`,
      probe(proof.with(at, flipped(hash, 1 << bit))),
    ]),
  );
}

function named<T>(
  folder: string,
  good: T | undefined,
  tampered: Record<string, T>,
): (T & { name: string; good?: true })[] {
  const bad = Object.entries(tampered).map(([name, probe]) => ({ ...probe, name: `${folder}/${name}` }));
  if (good === undefined) return bad;
  return [{ ...good, name: `${folder}/happy-path`, good: true }, ...bad];
}
