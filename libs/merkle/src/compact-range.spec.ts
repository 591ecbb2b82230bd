import { refusal } from '../spec/refusal.js';
import { byteLeaves, hex, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { plainRoots } from '../spec/plain-tree.js';
import { hasher, sha256 } from '../node/hasher.js';
import { append, decodeNodes, EMPTY_RANGE, encodeNodes, rootOf } from './compact-range.js';
import { sameHash, type Hash } from './hash.js';

const rootOfLeaves = (leaves: Hash[]): string => hex(rootOf(hasher, append(hasher, EMPTY_RANGE, leaves)));

describe('published values (transparency-dev/merkle@417fb0c)', () => {
  it('grows through the published roots', () => {
    const roots = Array.from({ length: 9 }, (_, n) =>
      rootOfLeaves(PUBLISHED_INPUTS.slice(0, n).map((input) => hasher.leaf(input))),
    );
    expect(roots).toEqual([
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]);
  });

  it('grows large trees to known roots', () => {
    const decimal = (n: number): Hash[] =>
      Array.from({ length: n }, (_, i) => hasher.leaf(Buffer.from(String(i))));
    expect([7, 130, 256, 257].map((n) => rootOfLeaves(byteLeaves(n)))).toEqual([
      '3560191803028444b232018ac047fdb561c09c23a7a6876c85e08b5e4d48e9f3',
      'f05d2f5ef24c72dd70b0a8f28e576b3acaf944c00e014524c47aa42325d7d1c3',
      '0387b1bfaad194ad5b534d6a57c9710a83484cb544258df5f4df94bc41820b5f',
      '27f15b399b51e27cb63a4282e7f09bdf2e3b019ff6ad06c4a9e066fb754257e4',
    ]);
    expect([1_000, 70_000].map((n) => rootOfLeaves(decimal(n)))).toEqual([
      '638afa98022925bacfddadb15ef22fd0199c1ac99c2973b6158243d13fce05c2',
      '1a4cdfcb66374a0c0dcbef49acbd4976d13ee864fb3cb241fc943cad04f02f7e',
    ]);
  });

  it('agrees with the accumulated roots of sizes 0 to 130', () => {
    const leaves = byteLeaves(130);
    const lines = Array.from({ length: 131 }, (_, n) => `${n} ${rootOfLeaves(leaves.slice(0, n))}\n`);
    expect(hex(sha256(Buffer.from(lines.join(''))))).toBe(
      '9c67f07f906103b6bf201842a50ff0b8c91fca9b3e211334a6b7aa3133165dec',
    );
  });
});

it('has the root of the plain recursion at every size from 0 to 5,000', () => {
  const leaves = byteLeaves(5_000);
  const recursive = plainRoots(leaves);
  let range = EMPTY_RANGE;
  for (let n = 0; n <= leaves.length; n += 1) {
    if (!sameHash(rootOf(hasher, range), recursive(n))) throw new Error(`another root at size ${n}`);
    range = append(hasher, range, leaves.slice(n, n + 1));
  }
});

it('grows on to the same roots when it is stored and read back at any size up to 600', () => {
  const leaves = byteLeaves(600);
  const recursive = plainRoots(leaves);
  let stored = EMPTY_RANGE;
  for (let n = 0; n <= leaves.length; n += 1) {
    stored = decodeNodes(BigInt(n), encodeNodes(stored));
    expect(hex(rootOf(hasher, stored))).toBe(hex(recursive(n)));
    const grown = append(hasher, stored, leaves.slice(n));
    expect(hex(rootOf(hasher, grown))).toBe(hex(recursive(600)));
    stored = append(hasher, stored, leaves.slice(n, n + 1));
  }
});

it('appends in batches as one by one, and leaves the given range alone', () => {
  const leaves = byteLeaves(77);
  const before = append(hasher, EMPTY_RANGE, leaves.slice(0, 13));
  const kept = hex(encodeNodes(before));
  expect(hex(rootOf(hasher, append(hasher, before, leaves.slice(13))))).toBe(rootOfLeaves(leaves));
  expect(hex(encodeNodes(before))).toBe(kept);
});

it('appends beyond 2^31 leaves, where 32-bit shifts would break', () => {
  const size = 2n ** 31n;
  const range = append(hasher, { size, nodes: [hasher.leaf(Buffer.from('left'))] }, byteLeaves(3));
  expect(range.size).toBe(size + 3n);
  expect(range.nodes).toHaveLength(3);
});

it('keeps what it read, also when the store uses its memory again', () => {
  const bytes = Buffer.from(encodeNodes(append(hasher, EMPTY_RANGE, byteLeaves(5))));
  const range = decodeNodes(5n, bytes);
  bytes.fill(0);
  expect(hex(rootOf(hasher, range))).toBe(rootOfLeaves(byteLeaves(5)));
});

it('refuses a stored edge of another size', () => {
  const stored = encodeNodes(append(hasher, EMPTY_RANGE, byteLeaves(5)));
  for (const size of [4n, 7n, -1n])
    expect(() => decodeNodes(size, stored)).toThrow(refusal('ERR_RANGE_INVALID'));
});
