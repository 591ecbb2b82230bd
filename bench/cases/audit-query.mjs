/**
 * Evidence out of a long log, by the code that answers over HTTP (its controllers, without the connection): pages at its end and deep in it, what was
 * decided about a dataset in an hour, who could get at what at an instant, the story of a task, access that outlived its task, standing access.
 */
import { statfsSync } from 'node:fs';
import pg from 'pg';
import { AuditLog } from '../../dist/apps/auditor/src/audit-log.js';
import { AccessController } from '../../dist/apps/auditor/src/http/access.controller.js';
import { EntriesController } from '../../dist/apps/auditor/src/http/entries.controller.js';
import { EvidenceController } from '../../dist/apps/auditor/src/http/evidence.controller.js';
import { StoryController } from '../../dist/apps/auditor/src/http/story.controller.js';
import { Pseudonyms } from '../../dist/apps/auditor/src/leaf/keys.js';
import { migrateLog } from '../../dist/apps/auditor/src/log/schema.js';
import { Cursors } from '../../dist/apps/auditor/src/query/cursor.js';
import { newestSnapshot } from '../../dist/apps/auditor/src/query/snapshot.js';
import { generateNoteKey, parseSigner } from '../../dist/libs/merkle/node/keys.js';
import { projectTurn } from '../../dist/libs/projection/src/turn.js';
import { openDatabase, transact } from '../../dist/libs/store/src/database.js';
import { randomFrom } from '../../faults/plan.mjs';
import { fillLog, readTemplates } from '../fill-log.mjs';
import { ON_A_DATABASE, WITH_A_TOKEN } from '../sample-world.mjs';
import { percentile } from '../stats.mjs';

export const name = 'audit-query';
export const needsStack = true;

const SCHEMA = 'bench_query';
const CALLS = 10;
const BYTES_AN_ENTRY = 1_500;
const HOUR_MS = 3_600_000;

let filled;

export async function run({ world, size: { logged, asked } }) {
  const db = openDatabase({ url: world.stack.urls.database, schema: SCHEMA, application: 'bench' });
  try {
    filled ??= await fill(world, db, logged);
    const timesMs = await ask(db, filled, logged, asked);
    const p95 = Object.fromEntries(
      Object.entries(timesMs).map(([what, valuesMs]) => [`${what} p95Ms`, percentile(valuesMs, 95)]),
    );
    const [first, deep] = ['first page', 'deep page'].map((what) => percentile(timesMs[what], 50));
    return {
      entries: logged,
      'entries/s filled': filled.perSecond,
      'entries/s projected': filled.projectedPerSecond,
      'bytes an entry on disk': filled.bytes / logged,
      ...p95,
      'first page p50Ms': first,
      'deep page p50Ms': deep,
      'deep page, % of the first': Math.round((100 * deep) / first),
    };
  } finally {
    await db.close();
  }
}

/** Once for all rounds. */
async function fill(world, db, entries) {
  const { bavail, bsize } = statfsSync(world.stateDir);
  const needed = entries * BYTES_AN_ENTRY * 2;
  if (bavail * bsize < needed) throw new Error(`there is no room for ${entries} entries: ${needed} bytes`);
  const taskId = await recorded(world, db);
  const templates = await readTemplates(db.pool, taskId);
  await db.pool.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  await db.pool.query(`CREATE SCHEMA ${SCHEMA}`);
  await migrateLog(db, 'mayfly_auditor', 'mayfly_signer');
  const startMs = performance.now();
  const signer = parseSigner(generateNoteKey('bench.example/log').skey);
  const log = await fillLog(db, { templates, entries, signer });
  const perSecond = Math.round((entries * 1_000) / (performance.now() - startMs));
  const projectedFromMs = performance.now();
  // Without the rest that the auditor takes after each turn for the sake of whom it serves.
  for (
    let next = 0n;
    next < entries;
    next = await transact(db, (tx) => projectTurn(tx, 'live', BigInt(entries)))
  );
  const projectedPerSecond = Math.round((entries * 1_000) / (performance.now() - projectedFromMs));
  await vacuum(world.stack.urls.database);
  const { rows } = await db.pool.query(
    'SELECT sum(pg_total_relation_size(oid))::float8 AS bytes FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = $2',
    [SCHEMA, 'r'],
  );
  return { ...log, perSecond, projectedPerSecond, bytes: rows[0].bytes };
}

/** As autovacuum would in time. It takes longer than a service waits for a statement. */
async function vacuum(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query(`VACUUM ANALYZE ${SCHEMA}.entry, ${SCHEMA}.access_grant`);
  await client.end();
}

/** One task with its calls, and its end. */
async function recorded(world, db) {
  const [taskId] = await world.hearing(async () => {
    const tasks = await world.startTasks(1);
    const acts = Array.from({ length: CALLS }, (_, n) => (n % 2 === 0 ? ON_A_DATABASE : WITH_A_TOKEN));
    await Promise.all(acts.map((act) => world.call(tasks[0], act)));
    const gone = world.next('lease.removed', tasks[0]);
    await world.endTasks(tasks);
    await gone;
    return tasks;
  });
  const cut = async () =>
    (
      await db.pool.query(
        "SELECT count(*)::int AS n FROM audit.entry WHERE task_id = $1 AND type = 'lease.removed'",
        [taskId],
      )
    ).rows[0].n;
  while ((await cut()) < CALLS) await new Promise((resolve) => setTimeout(resolve, 100));
  return taskId;
}

async function ask(db, { taskIds, beganMs, endedMs }, logged, count) {
  const key = Buffer.alloc(32, 7);
  const log = new AuditLog(db, { pseudonyms: new Pseudonyms(key), isPerson: () => false }, new Cursors(key));
  const [entries, access, stories, evidence] = [
    EntriesController,
    AccessController,
    StoryController,
    EvidenceController,
  ].map((Controller) => new Controller(log));
  const random = randomFrom(7);
  const iso = (ms) => new Date(ms).toISOString();
  const at = (fromMs, toMs) => iso(fromMs + random() * (toMs - fromMs));
  const hourFrom = () => {
    const from = at(beganMs, Math.max(beganMs, endedMs - HOUR_MS));
    return { from, to: iso(Date.parse(from) + HOUR_MS) };
  };
  const page = (query) => (admitted) => entries.list({ ...query(), limit: '100' }, { admitted });
  const held = (query) => (admitted) => access.held(query(), { admitted });
  const queries = {
    'Q1 access to a dataset in an hour': page(() => ({
      ...hourFrom(),
      filter: `type=call.decided AND dataset=${ON_A_DATABASE.dataset} AND decision=permit`,
    })),
    'Q2 access held at an instant': held(() => ({ at: at(beganMs, endedMs) })),
    'Q3 story of a task': (admitted) =>
      stories.story(taskIds[Math.floor(random() * taskIds.length)], {}, { admitted }),
    // Of every task that ended, however long ago.
    'Q6 access that outlived its task': (admitted) =>
      evidence.answer('outlived', { from: iso(beganMs), to: iso(endedMs + HOUR_MS) }, { admitted }),
    'Q7 standing access': page(() => ({ type: 'standing_access.found' })),
    'page with nothing to show': page(() => ({ ...hourFrom(), filter: 'agent=nobody' })),
    'page of one agent': page(() => ({ ...hourFrom(), filter: 'agent="spiffe://dev.mayfly/agent/analyst"' })),
    // Side by side, now one first and now the other: whichever follows the query before finds what that has left in memory.
    'first page': page(() => ({ order: 'desc', filter: `seq<${logged}` })),
    'deep page': page(() => ({ order: 'desc', filter: `seq<${1 + Math.floor((random() * logged) / 2)}` })),
  };
  const timesMs = Object.fromEntries(Object.keys(queries).map((what) => [what, []]));
  const inOrder = Object.entries(queries);
  // The first few of each fill caches that a service that runs has filled.
  for (let n = -3; n < count; n += 1)
    for (const [what, query] of n % 2 === 0
      ? inOrder
      : [...inOrder.slice(0, -2), ...inOrder.slice(-2).reverse()]) {
      const startMs = performance.now();
      const reader = { id: 'bench', tenants: undefined };
      await query({ reader, snapshot: await newestSnapshot(db.pool) });
      if (n >= 0) timesMs[what].push(performance.now() - startMs);
    }
  return timesMs;
}
