import { signCheckpoint } from '#merkle/checkpoint.js';
import { hasher } from '#merkle/node/hasher.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { formatTlogProof } from '#merkle/tlog-proof.js';
import { prove } from './audit.js';

const TASK = '0192f0a0-0000-7000-8000-000000000001';
const { skey, vkey } = generateNoteKey('mayfly.dev/log');
const leafOf = (type: string, task = TASK) => Buffer.from(JSON.stringify({ task, type, v: 1 }));
const leaf = leafOf('lease.access_cut');

/** The log of one entry: its root is the hash of the leaf. */
function proofOf(only: Buffer, signedWith = skey): string {
  const head = { origin: 'mayfly.dev/log', size: 1n, root: hasher.leaf(only) };
  return formatTlogProof({
    index: 0n,
    proof: [],
    checkpoint: signCheckpoint(head, [parseSigner(signedWith)]),
  });
}
const given = { seq: 0, leaf, proof: proofOf(leaf), vkey, taskId: TASK };

describe('the proof at the end of the sample', () => {
  it('holds for the entry that the story told of', () => {
    expect(prove(given)).toBe(1n);
  });

  it.each([
    ['bytes that were not logged', { leaf: leafOf('lease.removed') }],
    ['a log that another key signed', { proof: proofOf(leaf, generateNoteKey('mayfly.dev/log').skey) }],
    ['another place in the log', { seq: 1 }],
    ['another task', { taskId: '0192f0a0-0000-7000-8000-0000000000ee' }],
    ['another event', { leaf: leafOf('lease.removed'), proof: proofOf(leafOf('lease.removed')) }],
  ])('does not hold for %s', (_what, change) => {
    expect(() => prove({ ...given, ...change })).toThrow();
  });
});
