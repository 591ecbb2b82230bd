/**
 * `mayfly policy replay` over recorded decisions in a real PostgreSQL: how many calls a second, what flips by the same policies (nothing) and by
 * one changed rule (what a plain predicate over the facts says), and how much memory that takes.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { brokerMigrations } from '../../dist/apps/broker/src/migrations.js';
import { countDecisions, recordedDecisions } from '../../dist/apps/cli/src/policy/recorded-decisions.js';
import { loadCatalogue } from '../../dist/libs/policy/src/load-catalogue.js';
import { PolicySet } from '../../dist/libs/policy/src/policy-set.js';
import { replay } from '../../dist/libs/policy/src/replay/replay.js';
import { openDatabase, transact } from '../../dist/libs/store/src/database.js';
import { migrate } from '../../dist/libs/store/src/migrate.js';
import {
  flipsWithLessDrift,
  keepCalls,
  recordedCall,
  requestOf,
  withLessDrift,
} from '../../test/support/recorded-calls.mjs';

const SCHEMA = 'bench_replay';
const AT_ONCE = 1_000;

export const name = 'replay';
export const needsStack = true;

let expected;

export async function run({ root, world, size }) {
  const db = openDatabase({ url: world.stack.urls.database, schema: SCHEMA, application: 'bench' });
  const folder = mkdtempSync(join(tmpdir(), 'mayfly-bench-replay-'));
  try {
    const sample = `${root}/deploy/sample/policy`;
    expected ??= await record(db, root, sample, size.recorded);
    cpSync(sample, folder, { recursive: true });
    const guards = join(folder, 'guards.cedar');
    writeFileSync(guards, withLessDrift(readFileSync(guards, 'utf8')));
    const unchanged = await replayed(db, sample);
    const changed = await replayed(db, folder);
    const flipped = new Set(changed.flips.map(({ call }) => call.callId));
    return {
      'recorded decisions': unchanged.calls,
      'calls/s, unchanged policy': Math.round((unchanged.calls * 1_000) / unchanged.tookMs),
      'processor ms a call, unchanged policy': unchanged.spentMs / unchanged.calls,
      'flips, unchanged policy': unchanged.flips.length,
      'calls/s, one changed rule': Math.round((changed.calls * 1_000) / changed.tookMs),
      'flips, one changed rule': flipped.size,
      'flips missing or too many': symmetricDifference(flipped, expected),
      'decided by Cedar itself': unchanged.byEngine,
      'MiB at the start': unchanged.startMiB,
      'MiB at most': unchanged.mostMiB,
    };
  } finally {
    rmSync(folder, { recursive: true });
    await db.close();
  }
}

/** Once for all rounds: each decision is the engine's own. @returns calls that the changed rule must turn */
async function record(db, root, sample, count) {
  const { catalogue } = await loadCatalogue(`${root}/deploy/sample/catalogue`, {}, { targets: 'describe' });
  const policies = await PolicySet.load(sample);
  await db.pool.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE`);
  await db.pool.query(`CREATE SCHEMA ${SCHEMA}`);
  await migrate(db, brokerMigrations);
  const turned = new Set();
  for (let first = 0; first < count; first += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, i) => first + i);
    const calls = numbers.map((n) => recordedCall(policies, catalogue, n));
    await keepCalls(db.pool, calls, first);
    numbers.forEach((n, i) => {
      if (flipsWithLessDrift(requestOf(catalogue, n))) turned.add(calls[i].decided.callId);
    });
  }
  await db.pool.query('ANALYZE');
  return turned;
}

async function replayed(db, dir) {
  const [startMs, beganWith] = [performance.now(), process.cpuUsage()];
  const startMiB = residentMiB();
  let mostMiB = startMiB;
  const report = await transact(db, async (tx) => {
    await countDecisions(tx, 0);
    return await replay(recordedDecisions(tx, 0), {
      ...{ dir, threads: availableParallelism() },
      onProgress: () => (mostMiB = Math.max(mostMiB, residentMiB())),
    });
  });
  const { user, system } = process.cpuUsage(beganWith);
  const tookMs = performance.now() - startMs;
  return { ...report, startMiB, mostMiB, tookMs, spentMs: (user + system) / 1_000 };
}

const residentMiB = () => Math.round(process.memoryUsage.rss() / 2 ** 20);

function symmetricDifference(found, wanted) {
  return (
    [...found].filter((id) => !wanted.has(id)).length + [...wanted].filter((id) => !found.has(id)).length
  );
}
