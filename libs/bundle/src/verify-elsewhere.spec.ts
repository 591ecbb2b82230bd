/** A bundle before a verifier that is not ours (`@sigstore/verify`): its leaves and the head of its checkpoint, read by hand. */
import { verifyMerkleInclusion } from '@sigstore/verify/dist/tlog/merkle.js';
import { hasher } from '#merkle/node/hasher.js';
import { proveInclusion } from '#merkle/proof.js';
import { leaves, SmallLog } from '../spec/small-log.js';
import { appendLeaves, edgeRoot } from './merkle.js';

it('each entry of a bundle is believed to be in the tree that its checkpoint names, and no other in its place', () => {
  const log = new SmallLog(leaves(300));
  const files = log.bundle();
  const [, size = '', root = ''] = files.get('checkpoint')!.toString().split('\n');
  const entries = files.get('entries.jsonl')!.toString().trimEnd().split('\n');
  const head = { logSize: BigInt(size), logHash: Buffer.from(root, 'base64') };
  const subtree = ({ level, index }: { level: number; index: bigint }) => {
    const width = 2 ** level;
    const from = Number(index) * width;
    return edgeRoot(appendLeaves({ size: 0n, nodes: [] }, log.hashes.slice(from, from + width)));
  };
  const believe = (index: number, entry: string) => {
    const hashes = proveInclusion(hasher, BigInt(index), BigInt(size), subtree).map((hash) =>
      Buffer.from(hash),
    );
    const claim = {
      canonicalizedBody: Buffer.from(entry),
      inclusionProof: { logIndex: String(index), hashes },
    };
    verifyMerkleInclusion(claim as never, head as never);
  };

  expect(entries).toHaveLength(300);
  for (const [index, entry] of entries.entries()) {
    believe(index, entry);
    expect(() => believe(index, entry.replace('sql.query', 'mail.send'))).toThrow('root hash');
  }
});
