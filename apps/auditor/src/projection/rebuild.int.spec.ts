import { differing, rebuild, type RebuildReport } from '#projection/rebuild.js';
import { TABLE_NAMES, TABLES } from '#projection/tables.js';
import { projectTurn, readPosition, signedSize } from '#projection/turn.js';
import { transact } from '#store/database.js';
import { generateNoteKey, parseSigner } from '#merkle/node/keys.js';
import { ingesting } from '../../spec/ingesting.js';
import { freshLogDatabase, type LogDatabase } from '../../spec/log-database.js';
import { variedRecords } from '../../spec/varied.js';
import { World } from '../../spec/world.js';
import { migrateLog } from '../log/schema.js';
import { signHead } from '../signer/sign-head.js';
import { catchUp, Projector } from './projector.js';

const signer = parseSigner(generateNoteKey('audit.example/log').skey);
let world: World;
let log: LogDatabase;
beforeAll(async () => {
  [world, log] = await Promise.all([World.open(), freshLogDatabase()]);
  const ingest = ingesting(log.runtime, world);
  await ingest.onBatch(await variedRecords(world, 30));
  await signHead(log.signer, [signer], 3_600_000);
});
afterAll(() => Promise.all([log.drop(), world.close()]));

const db = () => log.runtime;
const next = async () => (await readPosition(db().pool)).next;
/** As if nothing had been projected yet. */
const forget = () => db().pool.query('UPDATE projection SET rules = 0, next = 0');
const check = (): Promise<RebuildReport> => rebuild(db(), { check: true });
const rowsOf = async (table: string) => {
  const { rows } = await db().pool.query<{ row: object }>(
    `SELECT row_to_json(t) AS row FROM ${table} t ORDER BY row_to_json(t)::text`,
  );
  return rows.map(({ row }) => row);
};

describe('projections that were made anew', () => {
  it('are the live ones, row for row', async () => {
    await forget();
    await catchUp(db());
    const report = await check();
    expect(report).toMatchObject({ size: await signedSize(db().pool), samePosition: true });
    expect(report.tables.map(({ table, differing: some, first }) => ({ table, some, first }))).toEqual(
      TABLE_NAMES.map((table) => ({ table, some: 0, first: [] })),
    );
    // Something is in each of them.
    expect(report.tables.filter(({ rows }) => rows === 0)).toEqual([]);
  });

  it('are the live ones wherever a turn ended, and where it was killed in between', async () => {
    await catchUp(db());
    const whole = await Promise.all(TABLE_NAMES.map(rowsOf));
    await forget();
    const signed = await signedSize(db().pool);
    await transact(db(), (tx) => projectTurn(tx, 'live', 3n));
    for (let n = 1n; (await next()) < signed; n += 1n) {
      const from = await next();
      const step = 1n + ((n * 7n) % 23n);
      const to = from + step < signed ? from + step : signed;
      if (n % 3n === 0n) {
        // The session of a process that is killed is gone before its commit.
        const killed = transact(db(), async (tx) => {
          await projectTurn(tx, 'live', to);
          await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
        });
        await expect(killed).rejects.toThrow();
        expect(await next()).toBe(from);
      }
      await transact(db(), (tx) => projectTurn(tx, 'live', to));
    }
    expect(await Promise.all(TABLE_NAMES.map(rowsOf))).toEqual(whole);
    expect(differing(await check())).toBe(0);
  });

  it('are the same by two auditors at once', async () => {
    await forget();
    await Promise.all([catchUp(db()), catchUp(db())]);
    expect(differing(await check())).toBe(0);
  });

  it('are told apart where somebody changed the live ones, and take their place', async () => {
    await catchUp(db());
    const { pool } = db();
    const { rows } = await pool.query<{ id: string }>(
      'SELECT lease_id AS id FROM access_grant ORDER BY lease_id',
    );
    const [changed, gone] = rows.map(({ id }) => id);
    await pool.query('UPDATE access_grant SET cut_at_ms = 1 WHERE lease_id = $1', [changed]);
    await pool.query('DELETE FROM access_grant WHERE lease_id = $1', [gone]);
    await pool.query("INSERT INTO agent_seen (tenant, agent) VALUES ('', 'nobody')");

    const found = await check();
    const grants = found.tables.find(({ table }) => table === 'access_grant');
    expect(differing(found)).toBe(3);
    expect(grants?.first).toEqual([
      {
        key: [changed],
        live: expect.objectContaining({ cut_at_ms: 1 }) as object,
        rebuilt: expect.anything() as object,
      },
      { key: [gone], live: null, rebuilt: expect.objectContaining({ lease_id: gone }) as object },
    ]);
    // It only looked.
    expect(differing(await check())).toBe(3);

    expect(differing(await rebuild(db(), { check: false }))).toBe(3);
    expect(differing(await check())).toBe(0);
  });

  it('are made while the auditor goes on', async () => {
    await forget();
    const projector = new Projector({
      db: db(),
      warn: (fields) => {
        throw new Error(JSON.stringify(fields));
      },
    });
    projector.start();
    try {
      await rebuild(db(), { check: false });
      while ((await next()) < (await signedSize(db().pool)))
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(differing(await check())).toBe(0);
    } finally {
      await projector.stop();
    }
  });

  it('are made by one at a time', async () => {
    // Whichever comes first waits for this, and is at work until then.
    const held = await db().pool.connect();
    await held.query('BEGIN');
    await held.query('SELECT FROM rebuilt_projection');
    const both = [check(), check()];
    await expect(Promise.race(both)).rejects.toMatchObject({ code: 'ERR_REBUILD_AT_WORK' });
    await held.query('ROLLBACK');
    held.release();
    const settled = await Promise.allSettled(both);
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('an event that its producer sent twice', () => {
  it('is counted once', async () => {
    await catchUp(db());
    const { rows } = await db().pool.query<{ n: bigint; counted: string; calls: string }>(
      `SELECT count(DISTINCT event_id) AS n, count(*) > count(DISTINCT event_id) AS repeated,
              (SELECT sum(count) FROM decision_count) AS counted, (SELECT sum(calls) FROM agent_seen) AS calls
         FROM entry WHERE type = 'call.decided' AND admitted`,
    );
    const n = String(rows[0]?.n);
    expect(rows[0]).toMatchObject({ repeated: true, counted: n, calls: n });
  });
});

it('follows no further than a signed head', async () => {
  await catchUp(db());
  const signed = await signedSize(db().pool);
  await ingesting(db(), world).onBatch([
    world.wrote('broker', 'task.ended', { taskId: 't', at: '2026-11-24T12:00:00Z' }),
  ]);
  await catchUp(db());
  expect(await next()).toBe(signed);
  await signHead(log.signer, [signer], 3_600_000);
  await catchUp(db());
  expect(await next()).toBe(signed + 1n);
});

it.each(TABLE_NAMES)('keeps of %s the columns that it has rules for', async (table) => {
  const { rows } = await log.owner.pool.query<{ name: string }>(
    `SELECT column_name::text AS name FROM information_schema.columns WHERE table_schema = 'audit' AND table_name = $1`,
    [table],
  );
  const { key, columns } = TABLES[table];
  expect(rows.map(({ name }) => name).sort()).toEqual([...key, ...Object.keys(columns)].sort());
});

it('migrates where it was migrated', async () => {
  await migrateLog(log.owner, log.runtimeRole, log.signerRole);
  expect(await next()).toBeGreaterThan(0n);
});
