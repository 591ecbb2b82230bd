import { hasher, sha256 } from '../node/hasher.js';
import { hex, PUBLISHED_INPUTS } from '../spec/leaves.js';
import { refusal } from '../spec/refusal.js';
import { MAX_ENTRY_BYTES, sameHash, treeHasher } from './hash.js';

it('hashes leaves and nodes as published (transparency-dev/merkle@417fb0c, golang/mod@fe2ec04)', () => {
  expect(hex(hasher.leaf(Buffer.from('L123456')))).toBe(
    '395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56',
  );
  expect(hex(hasher.node(Buffer.from('N123'), Buffer.from('N456')))).toBe(
    'aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb',
  );
  expect(Buffer.from(hasher.leaf(Buffer.from('hello world'))).toString('base64')).toBe(
    'TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=',
  );
  expect(PUBLISHED_INPUTS.map((input) => hex(hasher.leaf(input)))).toEqual([
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    '96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
    '0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7',
    '07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7',
    'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    '4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658',
    'b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f',
    '46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1',
  ]);
});

it('has the published inner nodes of the tree of eight', () => {
  const [L2, L3, L4, L5, L6, L7] = PUBLISHED_INPUTS.slice(2).map((input) => hasher.leaf(input));
  const [N45, N67] = [hasher.node(L4!, L5!), hasher.node(L6!, L7!)];
  expect([hasher.node(L2!, L3!), N45, N67, hasher.node(N45, N67)].map(hex)).toEqual([
    '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
    '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
    'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
    '6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
  ]);
});

it('hashes an entry the same whatever was hashed before it, and of any size', () => {
  for (const bytes of [0, 1, 700, MAX_ENTRY_BYTES, MAX_ENTRY_BYTES + 1, 3]) {
    const entry = Buffer.alloc(bytes, 7);
    expect(hex(hasher.leaf(entry))).toBe(hex(sha256(Buffer.concat([Buffer.of(0), entry]))));
  }
});

it('takes no function that is not SHA-256', () => {
  for (const other of [(bytes: Uint8Array) => bytes, () => new Uint8Array(32), () => sha256(Buffer.of(1))])
    expect(() => treeHasher(other)).toThrow(refusal('ERR_HASH_INVALID'));
});

it('compares hashes byte by byte', () => {
  const hash = hasher.leaf(Buffer.of(1));
  expect(sameHash(hash, Uint8Array.from(hash))).toBe(true);
  expect(sameHash(hash, hash.subarray(1))).toBe(false);
  expect(sameHash(hash, hasher.leaf(Buffer.of(2)))).toBe(false);
});
