/**
 * `npm run bench [-- --case X] [--smoke] [--rounds N] [--profile MS]`: each case over some rounds beside the raw limits of the same run, on a
 * stack of its own with fsync on. Prints a table; a whole run is kept under `bench/results/`. Nothing fails on time.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { postgresUser, temporaryFolder } from '../scripts/servers/postgres-user.mjs';
import { anyPorts } from '../scripts/start/settings.mjs';
import { Stack } from '../scripts/start/stack.mjs';
import { defaultStateDir } from '../scripts/start/state-dir.mjs';
import { warningsOf } from '../scripts/start/warnings.mjs';
import * as auditIngest from './cases/audit-ingest.mjs';
import * as auditQuery from './cases/audit-query.mjs';
import * as auditVerify from './cases/audit-verify.mjs';
import { callJwt, callPostgres } from './cases/calls.mjs';
import * as decide from './cases/decide.mjs';
import * as endCut from './cases/end-cut.mjs';
import * as expiry from './cases/expiry.mjs';
import * as httpToken from './cases/http-token.mjs';
import * as poison from './cases/poison.mjs';
import * as replay from './cases/replay.mjs';
import * as restart from './cases/restart.mjs';
import { soak, soakJwt } from './cases/soak.mjs';
import * as storm from './cases/storm.mjs';
import * as verifyToken from './cases/verify-token.mjs';
import { rawLimits } from './raw-limits.mjs';
import { report } from './report.mjs';
import { SampleWorld } from './sample-world.mjs';
import { overRounds, round1 } from './stats.mjs';

const root = join(import.meta.dirname, '..');
const CASES = [
  decide,
  replay,
  callPostgres,
  callJwt,
  httpToken,
  endCut,
  storm,
  expiry,
  verifyToken,
  auditVerify,
  poison,
  restart,
  auditQuery,
  // Ends broker and revoker.
  auditIngest,
  soak,
  soakJwt,
];
const SERVICES = ['broker', 'revoker', 'auditor', 'signer'];
const WARNINGS_SHOWN = 5;
const SIZES = {
  whole: {
    decisions: 5_000,
    recorded: 100_000,
    warmUp: 500,
    calls: 500,
    backlog: 2_000,
    callsPerSecond: 50,
    ends: 100,
    descendants: 1_000,
    live: 40,
    checks: 10_000,
    entries: 1_000_000,
    leases: 100_000,
    storms: [1_000, 10_000],
    idleMs: 30_000,
    asleep: 1_000_000,
    expiring: 10_000,
    expiringMs: 60_000,
    atOnce: 2_000,
    lendMs: 200_000,
    logged: 1_000_000,
    asked: 200,
    ingested: 300_000,
    ingestedRaw: 100_000,
    lagSeconds: 30,
    lagPerSecond: 1_000,
    minutes: 10,
    raw: 500,
    rounds: 3,
  },
  smoke: {
    decisions: 200,
    recorded: 500,
    warmUp: 5,
    calls: 20,
    backlog: 20,
    callsPerSecond: 10,
    ends: 5,
    descendants: 10,
    live: 2,
    checks: 500,
    entries: 2_000,
    leases: 100,
    storms: [10],
    idleMs: 300,
    asleep: 100,
    expiring: 10,
    expiringMs: 1_000,
    atOnce: 5,
    lendMs: 3_000,
    logged: 20_000,
    asked: 3,
    ingested: 400,
    ingestedRaw: 400,
    lagSeconds: 1,
    lagPerSecond: 100,
    minutes: 1,
    raw: 50,
    rounds: 1,
  },
};

/** Asked for with `--size`: they take an hour, or the disk. */
const LARGER = { full: { ingested: 3_000_000 }, '10M': { logged: 10_000_000 } };

const { values: options } = parseArgs({
  options: {
    case: { type: 'string' },
    smoke: { type: 'boolean' },
    profile: { type: 'string' },
    rounds: { type: 'string' },
    rate: { type: 'string' },
    calls: { type: 'string' },
    minutes: { type: 'string' },
    events: { type: 'string' },
    size: { type: 'string' },
  },
});
const size = { ...(options.smoke ? SIZES.smoke : SIZES.whole), ...LARGER[options.size] };
for (const [option, key] of [
  ['rate', 'callsPerSecond'],
  ['calls', 'calls'],
  ['minutes', 'minutes'],
  ['events', 'ingested'],
  ['events', 'logged'],
])
  if (options[option] !== undefined) size[key] = Number(options[option]);
const cases = CASES.filter(({ name, byNameOnly }) =>
  options.case === undefined ? !byNameOnly : options.case === name,
);
const rounds = Number(options.rounds ?? (cases.some(({ byNameOnly }) => byNameOnly) ? 1 : size.rounds));
const isSize = options.size === undefined || Object.hasOwn(LARGER, options.size);
if (!isSize) process.stderr.write(`bench: a size is one of ${Object.keys(LARGER).join(', ')}\n`);
if (!isSize || cases.length === 0 || !Number.isInteger(rounds) || rounds < 1) {
  process.stderr.write(`bench: no such case; there are ${CASES.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

process.env.MAYFLY_ENV = 'development';
const results = { commit: commit(), at: new Date().toISOString(), machine: machine(), raw: {}, cases: {} };
const stack = cases.some(({ needsStack }) => needsStack) ? await openStack() : undefined;
try {
  const world = stack === undefined ? undefined : await SampleWorld.open(stack);
  if (stack !== undefined) results.raw = await rawLimits(stack, size);
  for (const each of cases) results.cases[each.name] = await measure(each, world);
  await world?.close();
} catch (error) {
  if (stack !== undefined) process.stderr.write(`${lastWords(stack).join('\n')}\n`);
  throw error;
} finally {
  await stack?.stop();
  if (stack !== undefined) rmSync(stack.stateDir, { recursive: true, force: true });
}
print();
if (!options.smoke) keep();
process.exit(0);

async function measure(each, world) {
  const found = [];
  for (let n = 0; n < rounds; n += 1) found.push(await each.run({ root, world, size }));
  return Object.fromEntries(
    Object.keys(found[0]).map((key) => [key, overRounds(found.map((round) => round[key]))]),
  );
}

async function openStack() {
  const stateDir = await temporaryFolder('mayfly-bench-', await postgresUser());
  const env = { ...process.env, ...(options.profile === undefined ? {} : profiled()) };
  for (const variable of ['KAFKA_BROKERS', 'DATABASE_URL', 'TARGET_URL']) delete env[variable];
  const cacheDir = await defaultStateDir(root);
  const opened = new Stack({
    root,
    stateDir,
    cacheDir,
    env,
    ports: anyPorts(),
    reaper: { remove: [stateDir] },
  });
  await opened.open();
  return opened;
}

/** What the services warned of, last: their logs are removed with everything else. */
function lastWords({ stateDir }) {
  return SERVICES.flatMap((service) =>
    warningsOf(service, join(stateDir, 'logs', `${service}.log`), 0).slice(-WARNINGS_SHOWN),
  );
}

/** @returns the environment in which each service samples itself, `--profile` ms after its start */
function profiled() {
  const folder = join(root, 'bench', 'results', `${results.at.slice(0, 10)}-profile`);
  mkdirSync(folder, { recursive: true });
  return {
    NODE_OPTIONS: `--import=${join(root, 'bench', 'profiler.mjs')}`,
    MAYFLY_PROFILE_DIR: folder,
    MAYFLY_PROFILE_AFTER_MS: options.profile,
  };
}

function commit() {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown';
  }
}

function machine() {
  const [first] = cpus();
  return {
    cpus: cpus().length,
    model: first?.model ?? 'unknown',
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    platform: `${process.platform}-${process.arch}`,
  };
}

function print() {
  process.stdout.write(`raw limits of this run: ${JSON.stringify(results.raw)}\n`);
  for (const [name, figures] of Object.entries(results.cases)) {
    process.stdout.write(`\n${name}, ${rounds} round(s): median (least … most)\n`);
    for (const [what, { median, min, max }] of Object.entries(figures))
      process.stdout.write(`  ${what.padEnd(24)} ${round1(median)} (${round1(min)} … ${round1(max)})\n`);
  }
}

/** A case run by itself takes its place in the result of the day; what it was measured beside is kept with it. */
function keep() {
  const folder = join(root, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  const day = results.at.slice(0, 10);
  const file = join(folder, `${day}.json`);
  const { cases: measured, ...run } = results;
  const earlier = options.case !== undefined && existsSync(file) ? JSON.parse(readFileSync(file)) : results;
  const alone = options.case === undefined ? {} : { ...earlier.alone, [options.case]: run };
  const kept = { ...earlier, cases: { ...earlier.cases, ...measured }, alone };
  writeFileSync(file, `${JSON.stringify(kept, null, 2)}\n`);
  report(root);
  process.stdout.write(`\nkept in bench/results/${day}.json and docs/reference/performance.md\n`);
}
