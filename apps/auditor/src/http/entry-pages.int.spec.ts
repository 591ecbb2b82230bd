/** Entries in pages: all of one head, whatever comes in between, and a window of time that they are of. */
import { setTimeout as sleep } from 'node:timers/promises';
import { hasher } from '#merkle/node/hasher.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { openCheckpoint } from '#merkle/checkpoint.js';
import { verifyInclusion } from '#merkle/verify.js';
import { Audited, ORIGIN, seqs } from '../../spec/audited.js';
import { READERS } from '../../spec/readers.js';
import type { EntryPage } from './api-schemas.js';

let audited: Audited;
beforeEach(async () => {
  audited = await Audited.open(READERS);
});
afterEach(() => audited.close());

const issued = (n: number) => audited.issued(n);
const decided = (more: object) => audited.decided(more);
const page = (query: string, id?: string) => audited.page(query, id);

async function pages(
  query: string,
  between: () => Promise<void> = () => Promise.resolve(),
): Promise<EntryPage[]> {
  const read: EntryPage[] = [];
  for (let next: string | null = ''; next !== null;) {
    const now: EntryPage = await page(next === '' ? query : `${query}&after=${next}`);
    read.push(now);
    next = now.next;
    await between();
  }
  return read;
}

describe('pages', () => {
  it('are all of one head, while entries come in between them', async () => {
    await audited.append(...issued(7));
    const read = await pages('limit=3', () => audited.append(...issued(2)));

    expect(read.map(seqs)).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    expect(new Set(read.map(({ as_of, range }) => JSON.stringify([as_of, range]))).size).toBe(1);
    expect(read[0]).toMatchObject({ as_of: { size: 7 }, range: { first: 0, end: 7 } });
    expect((await page('limit=500')).as_of.size).toBe(13);
  });

  it('may begin with the newest', async () => {
    await audited.append(...issued(5));
    expect((await pages('order=desc&limit=2')).map(seqs)).toEqual([[4, 3], [2, 1], [0]]);
    expect(seqs(await page('order=desc&after=3'))).toEqual([2, 1, 0]);
    expect(seqs(await page('after=3'))).toEqual([4]);
  });

  it('of a filter hold what it lets pass, and end', async () => {
    const mixed = issued(6).flatMap((lease) => [lease, decided({ decision: 'deny' })]);
    await audited.append(...mixed);
    const read = await pages('type=call.decided&limit=4');
    expect(read.map(seqs)).toEqual([
      [1, 3, 5, 7],
      [9, 11],
    ]);
    const few = await pages(`filter=${encodeURIComponent('decision=deny AND seq>=4 AND seq<10')}&limit=2`);
    expect(few.map(seqs)).toEqual([[5, 7], [9]]);
  });

  it('show nothing that no signed head covers', async () => {
    expect(await audited.get('/v1/entries')).toMatchObject({
      status: 503,
      text: expect.stringContaining('"ERR_NO_CHECKPOINT"') as string,
    });
    await audited.append(...issued(2));
    expect(seqs(await page(''))).toEqual([0, 1]);
  });

  it('come with proofs for the head that they are of', async () => {
    await audited.append(...issued(300));
    const { entries, as_of, checkpoint = '', next } = await page('proof=inclusion&after=254&limit=3');
    await audited.append(...issued(1));
    const second = await page(`proof=inclusion&limit=3&after=${next}`);

    const trusted = openCheckpoint(checkpoint, ORIGIN, [parseVerifier(audited.signer.vkey)]);
    expect(as_of).toEqual({ size: 300, root: Buffer.from(trusted.root).toString('base64') });
    expect([...seqs({ entries } as EntryPage), ...seqs(second)]).toEqual([255, 256, 257, 258, 259, 260]);
    for (const { seq, leafHash, proof = [] } of [...entries, ...second.entries])
      expect(
        verifyInclusion(hasher, {
          index: BigInt(seq),
          size: trusted.size,
          leafHash: Buffer.from(leafHash, 'base64'),
          root: trusted.root,
          proof: proof.map((hash) => Buffer.from(hash, 'base64')),
        }),
      ).toEqual({ ok: true });
  });
});

it('finds what came into the log in a window of time, from inclusive, to exclusive', async () => {
  await audited.append(...issued(3));
  await sleep(20);
  const between = new Date().toISOString();
  await sleep(20);
  await audited.append(...issued(2));

  expect(await page(`from=${between}`)).toMatchObject({ range: { first: 3, end: 5 } });
  expect(seqs(await page(`from=${between}`))).toEqual([3, 4]);
  expect(seqs(await page(`to=${between}`))).toEqual([0, 1, 2]);
  expect(seqs(await page(`to=${between}&order=desc&limit=1`))).toEqual([2]);
  expect(seqs(await page('from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z'))).toEqual([]);
});
