/**
 * What a superuser does to the log, who disables every trigger first, and by which of our tools it is found: the signer, which refuses
 * to sign; the comparison of rows; an export with `mayfly audit verify`; a single proof, as `mayfly log check` takes it.
 */
import { hasher } from '#merkle/node/hasher.js';
import { formatTlogProof, verifyTlogProof } from '#merkle/tlog-proof.js';
import { createMetrics } from '#telemetry/metrics.js';
import type { BundleReport } from '#bundle/verify-bundle.js';
import { ORIGIN, TwiceSignedLog, verifiers } from '../../spec/twice-signed-log.js';
import { World } from '../../spec/world.js';
import type { Columns } from '../leaf/columns.js';
import { readEntry } from './entries.js';
import { readInclusionProof } from './nodes.js';
import { RowChecker } from './row-checker.js';
import { readCheckpoint } from './checkpoints.js';

/** Two full tiles, and the beginning of a third. */
const ENTRIES = 600;
const EARLIER = 300;
/** In the first partition, and in no log of this size. */
const ASIDE = 3_000_000;

let world: World;
let log: TwiceSignedLog;
let warned: object[];
beforeAll(async () => {
  world = await World.open();
});
afterAll(() => world.close());
beforeEach(async () => {
  warned = [];
  log = await TwiceSignedLog.open(world, EARLIER, ENTRIES);
});
afterEach(() => log.close());

/** Whoever disables the triggers can do anything to rows. */
async function asSuperuser(...statements: string[]): Promise<void> {
  for (const table of ['entry', 'tile', 'checkpoint', 'tree_head', 'payload'])
    await log.db.admin.query(`ALTER TABLE audit.${table} DISABLE TRIGGER ALL`);
  for (const statement of statements) await log.db.admin.query(statement);
}
const checker = () =>
  new RowChecker({
    db: log.db.runtime,
    metrics: createMetrics('auditor'),
    warn: (fields) => warned.push(fields),
  });
/** A whole lap: what is wrong, by number. */
async function compared(rows = checker()): Promise<string[]> {
  while (!(await rows.turn())) continue;
  return rows.findings.map(({ seq, to, fault, columns = [] }) =>
    [to === undefined ? seq : `${seq}-${to - 1n}`, fault, ...columns].join(' '),
  );
}
/** The signer, at the next entry. */
async function signed(): Promise<unknown> {
  try {
    await log.append(1);
    await log.sign();
    return 'signed';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}
const bad = ({ findings }: BundleReport) => findings.map(({ code, place }) => `${place} ${code}`);
const verified = async (asked: object = {}) => bad(await log.verify(asked));

async function proven(seq: bigint): Promise<unknown> {
  const { pool } = log.db.runtime;
  const checkpoint = (await readCheckpoint(pool))!;
  const proof = await readInclusionProof(pool, seq, checkpoint.size);
  const text = formatTlogProof({ index: seq, proof, checkpoint: checkpoint.note });
  try {
    verifyTlogProof(hasher, text, (await readEntry(pool, seq))!.leaf, { origin: ORIGIN, verifiers });
    return 'ok';
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

const alter = (seq: number) =>
  `UPDATE entry SET leaf = convert_to(replace(convert_from(leaf, 'UTF8'), 'broker', 'brokes'), 'UTF8') WHERE seq = ${seq}`;
const rehash = (seq: number) =>
  `UPDATE entry SET leaf_hash = sha256('\\x00'::bytea || leaf) WHERE seq = ${seq}`;
const retile = (seq: number) =>
  `UPDATE tile SET hashes = overlay(hashes PLACING (SELECT leaf_hash FROM entry WHERE seq = ${seq}) FROM ${32 * (seq % 256) + 1} FOR 32)
    WHERE level = 0 AND idx = ${Math.floor(seq / 256)}`;
const altered = (...seqs: number[]) => seqs.map((seq) => `entry ${seq} ERR_BUNDLE_ENTRY_ALTERED`);

it('finds nothing where nobody did anything', async () => {
  expect(await compared()).toEqual([]);
  expect(await verified()).toEqual([]);
  expect(await proven(17n)).toBe('ok');
  expect(await signed()).toBe('signed');
});

describe('a leaf that was altered', () => {
  it('is found by its number: by the comparison, by an export, by its proof', async () => {
    await asSuperuser(alter(17), alter(599));

    expect(await compared()).toEqual(['17 hash', '599 hash']);
    expect(await verified()).toEqual(altered(17, 599));
    expect(await proven(17n)).toBe('ERR_ROOT_MISMATCH');
    expect(await proven(18n)).toBe('ok');
  });

  it('with its hash, is found by its number where its tile is full', async () => {
    await asSuperuser(alter(17), rehash(17));

    expect(await compared()).toEqual(['17 tile']);
    expect(await verified()).toEqual(altered(17));
  });

  it('with its hash, among the last entries, is found by what the head was made of, and is not signed', async () => {
    await asSuperuser(alter(599), rehash(599));

    expect(await compared()).toEqual(['592-599 head']);
    expect(await verified()).toEqual(['hashes.bin ERR_BUNDLE_ROOT_MISMATCH']);
    expect(await proven(599n)).toBe('ERR_ROOT_MISMATCH');
    expect(await signed()).toBe('ERR_LOG_INCONSISTENT');
  });

  it('with its hash and its tile, is found by the tile’s root', async () => {
    await asSuperuser(alter(17), rehash(17), retile(17));

    expect(await compared()).toEqual(['0-255 root']);
    expect(await verified()).toEqual(['hashes.bin ERR_BUNDLE_ROOT_MISMATCH']);
  });

  it('is found by the first five, where there are many', async () => {
    await asSuperuser(...Array.from({ length: 40 }, (_, i) => alter(100 + 2 * i)));

    const report = await log.verify();
    expect(report.findings.map(({ seq }) => seq)).toEqual([100, 102, 104, 106, 108]);
    expect(report).toMatchObject({ badEntries: 40, included: ENTRIES - 40 });
    const rows = checker();
    expect(await compared(rows)).toHaveLength(40);
    expect(rows.remarks()).toEqual([
      'rows of the log are not what was logged: 100 (hash), 102 (hash), 104 (hash), 106 (hash), 108 (hash), …',
    ]);
  });
});

describe('a column that was altered alone', () => {
  it.each<[string, string, keyof Columns]>([
    ['topic', "'mayfly.other'", 'topic'],
    ['partition', '7', 'partition'],
    ['bus_offset', 'bus_offset + 1', 'offset'],
    ['appended_at_ms', '0', 'appendedAtMs'],
    ['admitted', 'false', 'admitted'],
    ['type', "'call.decided'", 'type'],
    ['task_id', 'NULL', 'taskId'],
    ['event_id', "'01928c5e-0000-7000-8000-000000000009'", 'eventId'],
  ])('is found by number and name: %s', async (column, value, name) => {
    await asSuperuser(`UPDATE entry SET ${column} = ${value} WHERE seq = 42`);

    expect(await compared()).toEqual([`42 columns ${name}`]);
    expect(warned).toEqual([{ seq: '42', fault: 'columns', columns: [name] }]);
    // An export takes nothing from it.
    expect(await verified()).toEqual([]);
  });

  it('is told once, also to a process that starts anew, and no more once it is mended', async () => {
    const [mine] = (
      await log.db.admin.query<{ taskId: string }>('SELECT task_id AS "taskId" FROM entry WHERE seq = 42')
    ).rows;
    await asSuperuser('UPDATE entry SET task_id = NULL WHERE seq = 42');
    const rows = checker();
    await compared(rows);
    await compared(rows);
    expect(warned).toHaveLength(1);
    await log.db.runtime.pool.query('UPDATE row_check SET next = 599');

    const again = checker();
    expect(await compared(again)).toEqual(['42 columns taskId']);
    await asSuperuser(`UPDATE entry SET task_id = '${mine?.taskId}' WHERE seq = 42`);
    expect(await compared(again)).toEqual([]);
  });
});

describe('entries that were deleted', () => {
  it('at the end, are missing by number, in no export, and nothing is signed on top', async () => {
    await asSuperuser('DELETE FROM entry WHERE seq >= 590');

    expect((await compared()).slice(0, 5)).toEqual([590, 591, 592, 593, 594].map((seq) => `${seq} missing`));
    expect(await log.exported()).toMatchObject({ to: ENTRIES, entries: 590 });
    expect(await signed()).toBe('ERR_LOG_ROWS_MISSING');
  });

  it('at the end, with the head moved back, are behind the last checkpoint: nothing is signed', async () => {
    const { rows } = await log.db.admin.query<{ nodes: Buffer }>('SELECT nodes FROM tree_head');
    // 592 is 512 + 64 + 16: the first nodes of 600.
    const nodes = rows[0]!.nodes.subarray(0, 3 * 32).toString('hex');
    await asSuperuser(
      'DELETE FROM entry WHERE seq >= 592',
      'DELETE FROM payload WHERE seq >= 592',
      `UPDATE tree_head SET size = 592, nodes = decode('${nodes}', 'hex')`,
    );

    expect(await signed()).toBe('ERR_LOG_INCONSISTENT');
    expect(await log.exported()).toMatchObject({ to: ENTRIES, entries: 593 });
  });

  it('but for the rows alone, are behind the end by number', async () => {
    const { rows } = await log.db.admin.query<{ nodes: Buffer }>('SELECT nodes FROM tree_head');
    await asSuperuser(
      `UPDATE tree_head SET size = 592, nodes = decode('${rows[0]!.nodes.subarray(0, 96).toString('hex')}', 'hex')`,
    );

    expect((await compared()).slice(0, 5)).toEqual([592, 593, 594, 595, 596].map((seq) => `${seq} beyond`));
  });

  it('in between, are missing by number, and an export ends before them', async () => {
    await asSuperuser('DELETE FROM entry WHERE seq = 42');

    expect(await compared()).toEqual(['42 missing']);
    expect(await log.exported()).toMatchObject({ entries: 42 });
  });
});

it('finds two that were swapped by both their numbers', async () => {
  await asSuperuser(
    `UPDATE entry SET seq = ${ASIDE} WHERE seq = 20`,
    'UPDATE entry SET seq = 20 WHERE seq = 30',
    `UPDATE entry SET seq = 30 WHERE seq = ${ASIDE}`,
  );

  expect(await compared()).toEqual(['20 tile', '30 tile']);
  expect(await verified()).toEqual(altered(20, 30));
  expect(await proven(20n)).toBe('ERR_ROOT_MISMATCH');
});

it('finds one that was inserted by all that were moved', async () => {
  await asSuperuser(
    `UPDATE entry SET seq = seq + ${ASIDE} WHERE seq >= 50`,
    `UPDATE entry SET seq = seq - ${ASIDE - 1} WHERE seq >= ${ASIDE}`,
    `INSERT INTO entry (seq, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted)
       SELECT 50, leaf_hash, leaf, topic, partition, bus_offset, appended_at_ms, admitted FROM entry WHERE seq = 3`,
  );

  const { findings } = await log.verify();
  expect(findings.slice(0, 5).map(({ seq }) => seq)).toEqual([50, 51, 52, 53, 54]);
  const found = await compared();
  expect(found.slice(0, 5)).toEqual([50, 51, 52, 53, 54].map((seq) => `${seq} tile`));
  expect(found).toContain('600 beyond');
});

describe('a log that was rewritten from its first entry on', () => {
  const rewrite = async (...more: string[]) => {
    await asSuperuser(
      ...['payload', 'entry', 'tile', ...more].map((table) => `DELETE FROM ${table}`),
      "UPDATE tree_head SET size = 0, nodes = ''",
    );
    await log.append(ENTRIES);
  };

  it('is not signed', async () => {
    await rewrite();
    expect(await signed()).toBe('ERR_LOG_INCONSISTENT');
    expect(await proven(17n)).toBe('ERR_ROOT_MISMATCH');
  });

  it('and signed with the real key, is found by whoever kept a head, and by nobody else', async () => {
    await rewrite('checkpoint');
    await log.sign();

    expect(await compared()).toEqual([]);
    expect(await verified({ since: EARLIER })).toEqual([]);
    expect(bad(await log.verify({ since: EARLIER }, log.headThen))).toEqual([
      'earlier checkpoint ERR_BUNDLE_LOG_REWRITTEN',
    ]);
  });
});
