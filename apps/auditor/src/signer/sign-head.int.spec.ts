import { openCheckpoint } from '#merkle/checkpoint.js';
import { hasher } from '#merkle/node/hasher.js';
import { generateNoteKey, parseSigner, parseVerifier } from '#merkle/node/keys.js';
import { openNote } from '#merkle/note.js';
import { formatTlogProof, verifyTlogProof } from '#merkle/tlog-proof.js';
import { verifyConsistency } from '#merkle/verify.js';
import { transact } from '#store/database.js';
import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { common, World } from '../../spec/world.js';
import { entryDetail } from '../http/entry-view.js';
import { appendEntries, type NewEntry } from '../log/append.js';
import { readCheckpoint } from '../log/checkpoints.js';
import { readEntry, readPayloads, type StoredEntry } from '../log/entries.js';
import { erasePayloads } from '../log/erase.js';
import { readConsistencyProof, readInclusionProof } from '../log/nodes.js';
import { signHead } from './sign-head.js';

const HOUR_MS = 3_600_000;
const origin = 'audit.example/log';
const signer = parseSigner(generateNoteKey(origin).skey);
const verifiers = [parseVerifier(signer.vkey)];

let log: LogDatabase;
let world: World;
beforeEach(async () => {
  [log, world] = await Promise.all([freshLogDatabase(), World.open()]);
});
afterEach(() => Promise.all([log.drop(), world.close()]));

async function grow(n: number): Promise<void> {
  await ingesting(log.runtime, world).onBatch(
    Array.from({ length: n }, () => world.wrote('broker', 'task.accepted', { ...common, purpose: 'secret' })),
  );
}
/** Entries of any bytes: what they say does not matter to the tree. */
async function growUnsigned(from: number, n: number): Promise<void> {
  const fresh = Array.from({ length: n }, (_, i): NewEntry => {
    const leaf = Buffer.from(`entry ${from + i}`);
    const payload = { recordKey: null, headers: null, value: null };
    const names = { admitted: true, type: null, taskId: null, eventId: null };
    const record = { topic: 'any', partition: 0, offset: BigInt(from + i), appendedAtMs: 0 };
    return {
      record,
      entry: { leaf, leafHash: hasher.leaf(leaf), ...names, payload, entryKey: Buffer.alloc(32) },
    };
  });
  await transact(log.runtime, (tx) => appendEntries(tx, fresh));
}
const sign = () => signHead(log.signer, [signer], HOUR_MS);
const entry = async (seq: bigint): Promise<StoredEntry> =>
  (await readEntry(log.runtime.pool, seq)) as StoredEntry;

async function proofOf(seq: bigint): Promise<string> {
  const checkpoint = (await readCheckpoint(log.runtime.pool)) as { size: bigint; note: string };
  const proof = await readInclusionProof(log.runtime.pool, seq, checkpoint.size);
  return formatTlogProof({ index: seq, proof, checkpoint: checkpoint.note });
}
async function expectProven(seqs: readonly bigint[]): Promise<void> {
  for (const seq of seqs) {
    const { leaf } = await entry(seq);
    expect(verifyTlogProof(hasher, await proofOf(seq), leaf, { origin, verifiers }).index).toBe(seq);
  }
}

it('signs the empty log, and then only what has grown', async () => {
  expect((await sign())?.size).toBe(0n);
  expect(await sign()).toBeUndefined();
  await grow(3);
  expect((await sign())?.size).toBe(3n);
  expect((await readCheckpoint(log.runtime.pool))?.size).toBe(3n);
});

it('repeats an unchanged head when the last signature has become old', async () => {
  await sign();
  expect((await signHead(log.signer, [signer], 0))?.size).toBe(0n);
});

it('signs a head once when two signers sign at once', async () => {
  await grow(5);
  const signed = await Promise.all([sign(), sign(), sign()]);
  expect(signed.filter((head) => head !== undefined)).toHaveLength(1);
});

it('proves every entry of a log of several tiles against its checkpoint', async () => {
  await grow(600);
  await sign();
  await expectProven(Array.from({ length: 600 }, (_, seq) => BigInt(seq)));
});

it('proves entries through the second level of tiles', async () => {
  for (let size = 0; size < 66_000; size += 6_000) await growUnsigned(size, 6_000);
  await sign();
  await expectProven([0n, 255n, 256n, 40_000n, 65_535n, 65_536n, 65_999n]);
}, 180_000);

it('proves that each checkpoint extends every one before it', async () => {
  const heads = [];
  for (const n of [1, 254, 1, 1, 43, 212, 1]) {
    await grow(n);
    heads.push(openCheckpoint((await sign())?.note ?? '', origin, verifiers));
  }
  for (const [i, older] of heads.entries())
    for (const newer of heads.slice(i)) {
      const proof = await readConsistencyProof(log.runtime.pool, older.size, newer.size);
      const [size1, size2, root1, root2] = [older.size, newer.size, older.root, newer.root];
      expect(verifyConsistency(hasher, { size1, size2, root1, root2, proof })).toEqual({ ok: true });
    }
});

it('erases payloads without touching a proof', async () => {
  await grow(300);
  await sign();
  const before = await proofOf(17n);

  expect(await erasePayloads(log.owner, [17n, 18n])).toBe(2);

  expect(await proofOf(17n)).toBe(before);
  await expectProven([16n, 17n, 18n]);
  const payloads = await readPayloads(log.runtime.pool, [16n, 17n]);
  expect(entryDetail(await entry(17n), payloads.get(17n))).toMatchObject({ payload: 'erased', opened: {} });
  expect(entryDetail(await entry(16n), payloads.get(16n))).toMatchObject({
    payload: 'kept',
    opened: { '/purpose': 'secret' },
  });
  await grow(1);
  expect((await sign())?.size).toBe(301n);
});

describe('what a superuser changed', () => {
  const tamper = async (...statements: string[]) => {
    for (const statement of ['SET session_replication_role = DEFAULT', ...statements])
      await log.admin.query(statement);
  };

  it('is not signed: a head that forgot entries', async () => {
    await grow(10);
    await sign();
    await tamper('ALTER TABLE tree_head DISABLE TRIGGER grows', "UPDATE tree_head SET size = 0, nodes = ''");
    await grow(0);

    await expect(sign()).rejects.toMatchObject({ code: 'ERR_LOG_INCONSISTENT' });
    expect((await readCheckpoint(log.runtime.pool))?.size).toBe(10n);
  });

  it('is not signed: a leaf hash that was changed after it was signed', async () => {
    await grow(10);
    await sign();
    await tamper(
      'ALTER TABLE entry DISABLE TRIGGER no_change',
      "UPDATE entry SET leaf_hash = decode(repeat('00', 32), 'hex') WHERE seq = 8",
    );
    await grow(1);

    await expect(sign()).rejects.toMatchObject({ code: 'ERR_LOG_INCONSISTENT' });
  });

  it('does not verify: a leaf whose bytes were changed', async () => {
    await grow(10);
    await sign();
    await tamper(
      'ALTER TABLE entry DISABLE TRIGGER no_change',
      "UPDATE entry SET leaf = leaf || ' '::bytea WHERE seq = 4",
    );

    await expect(expectProven([4n])).rejects.toMatchObject({ code: 'ERR_ROOT_MISMATCH' });
    await expectProven([3n, 5n]);
  });
});

describe('with another key', () => {
  const next = parseSigner(generateNoteKey(origin).skey);
  const signWith = (...signers: (typeof signer)[]) => signHead(log.signer, signers, HOUR_MS);
  const known = (note = '', ...keys: (typeof signer)[]) =>
    openNote(
      note,
      keys.map(({ vkey }) => parseVerifier(vkey)),
    );

  it.each(['grew', 'did not grow'])(
    'nothing is signed on top of its checkpoint where the log %s',
    async (how) => {
      await sign();
      if (how === 'grew') await grow(1);
      await expect(signWith(next)).rejects.toMatchObject({ code: 'ERR_LOG_CHECKPOINT_FOREIGN' });
    },
  );

  it('an unchanged head is signed again at once, by both, and later by the one that is left', async () => {
    await grow(1);
    await sign();

    const both = await signWith(signer, next);
    expect(both?.size).toBe(1n);
    expect(known(both?.note, signer, next)).toMatchObject({ verified: { length: 2 }, unknown: 0 });
    expect(await signWith(signer, next)).toBeUndefined();

    const one = await signWith(next);
    expect(known(one?.note, next)).toMatchObject({ verified: { length: 1 }, unknown: 0 });
    expect(await signWith(next)).toBeUndefined();
    await expect(sign()).rejects.toMatchObject({ code: 'ERR_LOG_CHECKPOINT_FOREIGN' });
  });
});
