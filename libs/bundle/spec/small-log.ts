/** A log in memory, signed with the published key of RFC 8037 A.1, and bundles of it. */
import { canonical } from '#events/jcs.js';
import { hasher } from '#merkle/node/hasher.js';
import { parseSigner } from '#merkle/node/keys.js';
import { signCheckpoint } from '#merkle/checkpoint.js';
import type { NoteSigner } from '#merkle/note-key.js';
import { proveConsistency } from '#merkle/proof.js';
import { BundleDraft } from '../src/bundle-draft.js';
import type { BundleFiles, FileName } from '../src/bundle-files.js';
import { appendLeaves, edgeRoot, leafHash, toBase64, type Checkpoint, type Hash } from '../src/merkle.js';
import { subtreesBetween, type Subtree } from '../src/range.js';
import { parseTrust } from '../src/trust.js';

export const ORIGIN = 'audit.example/log';
export const VKEY = 'audit.example/log+a21afb2a+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea';
const SEED = Buffer.from('nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', 'base64url');
export const SIGNER = parseSigner(
  `PRIVATE+KEY+${ORIGIN}+a21afb2a+${Buffer.concat([Buffer.of(1), SEED]).toString('base64')}`,
);
export const TRUST_TEXT = `# the log of the specs\nlog ${VKEY}\nquorum none\n`;
export const TRUST = parseTrust(TRUST_TEXT);

/** Envelopes as the auditor writes them. */
export function leaves(count: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(canonical(envelope(i))));
}

export const envelope = (i: number): object => ({
  v: 1,
  topic: 'mayfly.credential.events.v1',
  partition: i % 12,
  offset: String(i * 3),
  appendedAt: `2026-11-24T19:31:00.${String(i % 1_000).padStart(3, '0')}Z`,
  authenticated: true,
  service: 'broker',
  store: `epoch.${i}`,
  id: `01928c5e-0000-7000-8000-${i.toString(16).padStart(12, '0')}`,
  type: 'call.decided',
  task: '01928c5e-0000-7000-8000-000000000001',
  valueBytes: 700 + i,
  event: {
    agent: 'spiffe://dev.mayfly/agent/analyst',
    tool: 'sql.query',
    dataset: 'crm.orders',
    action: 'read',
    decision: i % 3 === 0 ? 'deny' : 'permit',
    checks: [{ check: 'task_live', ok: true }],
    obligations: { ttlMs: -1 },
  },
  commitments: { value: 'Y29tbWl0bWVudA', headers: 'aGVhZGVycw' },
});

export class SmallLog {
  readonly hashes: Hash[];

  constructor(
    readonly leaves: readonly Buffer[],
    readonly signer: NoteSigner = SIGNER,
  ) {
    this.hashes = leaves.map(leafHash);
  }

  head(size = this.leaves.length): Checkpoint {
    const edge = appendLeaves({ size: 0n, nodes: [] }, this.hashes.slice(0, size));
    return { origin: this.signer.name, size: BigInt(size), root: edgeRoot(edge) };
  }

  note(size = this.leaves.length): string {
    return signCheckpoint(this.head(size), [this.signer]);
  }

  /** Requires 0 <= from < to <= size. @param since an earlier size, for a proof of consistency */
  bundle({
    from = 0,
    to = this.leaves.length,
    size = this.leaves.length,
    since,
    withTable = true,
  }: { from?: number; to?: number; size?: number; since?: number; withTable?: boolean } = {}): BundleParts {
    const side = (start: number, end: number) =>
      subtreesBetween(BigInt(start), BigInt(end)).map((subtree) => toBase64(this.#rootOf(subtree)));
    const proof = {
      left: side(0, from),
      right: side(to, size),
      ...(since === undefined ? {} : { since: { size: since, hashes: this.#consistency(since, size) } }),
    };
    const pieces = new Map<FileName, Buffer[]>();
    const put = (name: FileName, piece: Buffer) =>
      void pieces.set(name, [...(pieces.get(name) ?? []), piece]);
    const draft = new BundleDraft({ checkpoint: this.note(size), from, to, proof }, put, { withTable });
    for (let seq = from; seq < to; seq += 1) draft.add(this.leaves[seq]!, this.hashes[seq]!);
    draft.finish();
    return new Map([...pieces].map(([name, parts]) => [name, Buffer.concat(parts)]));
  }

  #rootOf = ({ level, index }: Subtree): Hash => {
    const width = 2 ** level;
    const start = Number(index) * width;
    return edgeRoot(appendLeaves({ size: 0n, nodes: [] }, this.hashes.slice(start, start + width)));
  };

  #consistency(size1: number, size2: number): string[] {
    return proveConsistency(hasher, BigInt(size1), BigInt(size2), this.#rootOf).map(toBase64);
  }
}

export type BundleParts = ReadonlyMap<FileName, Buffer>;

export const filesOf = (parts: BundleParts): BundleFiles => ({
  sizes: new Map([...parts].map(([name, bytes]) => [name, bytes.length])),
  read: (name, offset, into) => (parts.get(name) ?? Buffer.alloc(0)).copy(into, 0, offset),
});
