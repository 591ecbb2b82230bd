import type { StoredEntry } from '../log/entries.js';
import { follow, type FollowParts } from './follow.js';
import type { Snapshot } from './snapshot.js';

const entryOf = (seq: bigint): StoredEntry => ({ seq, leaf: Buffer.from('{}'), leafHash: Buffer.alloc(32) });
const head = (size: bigint): Snapshot => ({ size, root: new Uint8Array(32), note: '' });

/** A log whose heads grow with each wait, of which pages of at most two entries are read, and what the reader was told. */
function world(heads: bigint[], more: Partial<FollowParts> = {}) {
  const told: string[] = [];
  const pages: [bigint, bigint][] = [];
  let waits = 0;
  const parts: FollowParts = {
    newest: () => Promise.resolve(heads[waits] === undefined ? undefined : head(heads[waits] ?? 0n)),
    readPage(first, end) {
      pages.push([first, end]);
      const seqs = [first, first + 1n].filter((seq) => seq < end);
      const last = seqs.at(-1);
      return Promise.resolve({
        entries: seqs.map(entryOf),
        last: last === undefined || last + 1n >= end ? undefined : last,
      });
    },
    wait: () => Promise.resolve(void (waits += 1)),
    mayGoOn: () => waits < heads.length,
    sink: {
      entry: ({ seq }) => Promise.resolve(void told.push(String(seq))),
      head: ({ size }, next) => Promise.resolve(void told.push(`as of ${size}, next ${next}`)),
    },
    ...more,
  };
  return { told, pages, parts };
}

it('tells entries once a signed head covers them, and then the head', async () => {
  const { told, parts } = world([3n, 3n, 4n]);
  await follow(0n, parts, () => {});
  expect(told).toEqual(['0', '1', '2', 'as of 3, next 3', '3', 'as of 4, next 4']);
});

it('goes on where a reader was, and tells nothing twice', async () => {
  const { told, parts } = world([5n]);
  await follow(3n, parts, () => {});
  expect(told).toEqual(['3', '4', 'as of 5, next 5']);
});

it('does not go back for a reader who is ahead of the newest head', async () => {
  const { told, parts } = world([5n]);
  await follow(9n, parts, () => {});
  expect(told).toEqual(['as of 5, next 9']);
});

it('waits for the first head', async () => {
  const { told, parts } = world([]);
  let turns = 0;
  await follow(0n, { ...parts, mayGoOn: () => (turns += 1) < 3 }, () => {});
  expect(told).toEqual([]);
});

it('reads no page before the reader took the one before', async () => {
  let take = () => {};
  const taken: bigint[] = [];
  const { pages, parts } = world([4n]);
  const sink = {
    ...parts.sink,
    entry: ({ seq }: StoredEntry) =>
      new Promise<void>((resolve) => {
        take = () => resolve(void taken.push(seq));
      }),
  };
  const following = follow(0n, { ...parts, sink }, () => {});
  await new Promise(setImmediate);
  expect({ taken, pages }).toEqual({ taken: [], pages: [[0n, 4n]] });
  for (let i = 0; i < 4; i += 1) {
    take();
    await new Promise(setImmediate);
  }
  await following;
  expect(pages).toEqual([
    [0n, 4n],
    [2n, 4n],
  ]);
});

it('says where it was when the reader is gone', async () => {
  const { parts } = world([4n]);
  const gone = {
    ...parts.sink,
    entry: ({ seq }: StoredEntry) => (seq < 2n ? Promise.resolve() : Promise.reject(new Error('gone'))),
  };
  let next = 0n;
  await expect(follow(0n, { ...parts, sink: gone }, (at) => (next = at))).rejects.toThrow('gone');
  expect(next).toBe(2n);
});

it('ends between two pages when it may not go on', async () => {
  let asked = 0;
  const { told, parts } = world([9n]);
  await follow(0n, { ...parts, mayGoOn: () => (asked += 1) <= 2 }, () => {});
  expect(told).toEqual(['0', '1']);
});
