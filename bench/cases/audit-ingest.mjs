/**
 * Events a second into the log: an auditor as it runs in production, behind a backlog on real topics of what some real calls say, signed anew
 * (`traffic.mjs`), with all that an entry takes: fetch, verify, leaf, tree, rows, checkpoints, projections. Broker and revoker are ended, so that nobody else
 * reads or writes. Beside it plain INSERTs of rows as large, the lag at a steady rate, and the heap after full collections.
 */
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { REVOCATIONS } from '../../dist/libs/events/src/topics.js';
import { atRate } from '../at-rate.mjs';
import { processorTime } from '../processor.mjs';
import { percentile } from '../stats.mjs';
import { Traffic } from '../traffic.mjs';

export const name = 'audit-ingest';
export const needsStack = true;

const WATCH = join(import.meta.dirname, '..', 'watch-auditor.mjs');
const PUBLISHED_AT_ONCE = 2_000;
const LOOK_EVERY_MS = 250;
const WINDOW_MS = 10_000;
/** Of the backlog: what a service that has just been started compiles is not what an event costs. */
const WARM_UP = 0.1;
/** As many as an auditor appends in one transaction. */
const ROWS_AT_ONCE = 400;

let traffic;

export async function run({ world, size: { ingested, ingestedRaw, lagSeconds, lagPerSecond } }) {
  const { stack } = world;
  traffic ??= await recorded(world);
  const database = new pg.Client({ connectionString: stack.urls.database });
  await database.connect();
  try {
    await until(async () => isRead(database, world.bus));
    await stack.kill('auditor', 'SIGTERM');
    const backlog = await publish(world, ingested);
    const before = await sizeOf(database);
    const watched = join(world.stateDir, 'watch-auditor.sock');
    const starting = stack.start('auditor', { NODE_OPTIONS: `--import=${WATCH}`, MAYFLY_WATCH: watched });
    const [drained] = await Promise.all([drain(database, before, backlog, stack, watched), starting]);
    const lag = await steady(world, database, watched, lagPerSecond, lagSeconds);
    const { bytes } = drained;
    return {
      'entries/s': drained.perSecond,
      'entries/s, least of ten seconds': drained.leastPerSecond,
      'entries/s, plain INSERT of rows as large': await plainInserts(database, ingestedRaw, bytes),
      'bytes an entry and its payload': bytes,
      'transaction p50Ms': percentile(drained.tookMs, 50),
      'transaction p99Ms': percentile(drained.tookMs, 99),
      'entries a transaction': drained.entries / drained.tookMs.length,
      ...Object.fromEntries(
        Object.entries(drained.spent).map(([part, ms]) => [`processor µs an entry: ${part}`, ms * 1_000]),
      ),
      'heap MiB': drained.heapMiB,
      'heap MiB growth a million entries': drained.heapGrowth,
      [`lag p50Ms at ${lagPerSecond}/s`]: percentile(lag, 50),
      [`lag p99Ms at ${lagPerSecond}/s`]: percentile(lag, 99),
      lost: drained.lost,
    };
  } finally {
    await database.end();
  }
}

async function recorded(world) {
  const taken = await Traffic.record(world);
  process.stdout.write(`audit-ingest: copies of ${JSON.stringify(taken.mix)}\n`);
  await Promise.all(['broker', 'revoker'].map((service) => world.stack.kill(service, 'SIGTERM')));
  return taken;
}

/** Whether all that there is on the topics is in the log: the auditor takes its time where others fill the machine. */
async function isRead(database, bus) {
  const { rows } = await database.query('SELECT topic, partition, next::text FROM audit.bus_offset');
  const next = new Map(rows.map((row) => [`${row.topic}/${row.partition}`, BigInt(row.next)]));
  const ends = await bus.ends([...new Set(rows.map(({ topic }) => topic))]);
  return ends.every((end) => (next.get(`${end.topic}/${end.partition}`) ?? end.oldest) >= end.next);
}

async function publish({ bus }, count) {
  for (let sent = 0; sent < count; sent += PUBLISHED_AT_ONCE)
    await bus.publish(traffic.next(Math.min(PUBLISHED_AT_ONCE, count - sent)));
  return count;
}

/** Of all of the backlog but the first tenth: from when that was in until everything is. */
async function drain(database, before, backlog, stack, watched) {
  const look = async () => ({ atMs: performance.now(), size: await sizeOf(database) });
  let [first, used, heapMiB] = [await look(), processorTime(stack), NaN];
  if (backlog > ROWS_AT_ONCE) {
    const warm = before + backlog * WARM_UP;
    await until(async () => (await sizeOf(database)) >= warm);
    ({ heapMiB } = await ask(watched));
    [first, used] = [await look(), processorTime(stack)];
  }
  const looks = [first];
  await until(async () => looks.push(await look()) && looks.at(-1).size >= before + backlog);
  const last = looks.at(-1);
  const entries = last.size - first.size;
  const spent = used(entries);
  const { commits, heapMiB: heapMiBAfter } = await ask(watched);
  const { rows } = await database.query(
    `SELECT avg(octet_length(leaf) + 32 + coalesce(octet_length(headers), 0) + coalesce(octet_length(value), 0))::float8 AS bytes
       FROM audit.entry LEFT JOIN audit.payload USING (seq) WHERE seq >= $1 AND topic <> $2`,
    [last.size - ROWS_AT_ONCE, REVOCATIONS],
  );
  return {
    ...{ entries, spent, heapMiB: heapMiBAfter, bytes: Math.round(rows[0].bytes) },
    perSecond: rateOf(first, last),
    leastPerSecond: leastRate(looks),
    heapGrowth: Number.isNaN(heapMiB) ? 0 : ((heapMiBAfter - heapMiB) * 1e6) / entries,
    tookMs: commits.map(({ tookMs }) => tookMs),
    lost: before + backlog - (await countOf(database)),
  };
}

const rateOf = (from, to) => Math.round(((to.size - from.size) * 1_000) / (to.atMs - from.atMs));

function leastRate(looks) {
  const rates = [];
  for (let from = looks[0]; ;) {
    const to = looks.find(({ atMs }) => atMs >= from.atMs + WINDOW_MS);
    if (to === undefined) break;
    rates.push(rateOf(from, to));
    from = to;
  }
  return rates.length === 0 ? rateOf(looks[0], looks.at(-1)) : Math.min(...rates);
}

/** At a steady rate: from when Kafka has a record until its entry is committed. */
async function steady({ bus }, database, watched, perSecond, seconds) {
  const before = await sizeOf(database);
  await ask(watched);
  const slices = 10;
  await atRate(seconds * slices, slices, () => bus.publish(traffic.next(perSecond / slices)));
  const count = seconds * slices * (perSecond / slices);
  await until(async () => (await sizeOf(database)) >= before + count);
  await sleep(LOOK_EVERY_MS);
  const { commits } = await ask(watched);
  const { rows } = await database.query(
    `SELECT appended_at_ms::float8 AS "appendedAtMs", (extract(epoch FROM ingested_at) * 1000)::float8 AS "ingestedAtMs"
       FROM audit.entry WHERE seq >= $1 ORDER BY seq`,
    [before],
  );
  let next = 0;
  return rows.flatMap(({ appendedAtMs, ingestedAtMs }) => {
    while (next < commits.length && commits[next].atMs < ingestedAtMs) next += 1;
    return next < commits.length ? [commits[next].atMs - appendedAtMs] : [];
  });
}

/** What PostgreSQL gives: as many bytes in one column, one index, nothing verified and nothing hashed. */
async function plainInserts(database, count, bytes) {
  await database.query('CREATE TABLE public.bench_rows (seq bigint PRIMARY KEY, body bytea NOT NULL)');
  const body = Buffer.alloc(bytes, 7);
  const startMs = performance.now();
  for (let first = 0; first < count; first += ROWS_AT_ONCE) {
    const seqs = Array.from({ length: Math.min(ROWS_AT_ONCE, count - first) }, (_, n) => first + n);
    await database.query({
      name: 'bench-rows',
      text: 'INSERT INTO public.bench_rows SELECT * FROM unnest($1::bigint[], $2::bytea[])',
      values: [seqs, seqs.map(() => body)],
    });
  }
  const rate = Math.round((count * 1_000) / (performance.now() - startMs));
  await database.query('DROP TABLE public.bench_rows');
  return rate;
}

const sizeOf = async (database) =>
  (await database.query('SELECT size::int AS size FROM audit.tree_head')).rows[0].size;
const countOf = async (database) =>
  (await database.query('SELECT count(*)::int AS n FROM audit.entry')).rows[0].n;

async function until(isTrue) {
  while (!(await isTrue())) await sleep(LOOK_EVERY_MS);
}

/** @returns what the auditor's watch has seen since it was asked last */
function ask(path) {
  return new Promise((resolve, reject) => {
    let text = '';
    connect(path)
      .setEncoding('utf8')
      .on('data', (chunk) => (text += chunk))
      .on('end', () => resolve(JSON.parse(text)))
      .on('error', reject);
  });
}
