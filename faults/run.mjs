/**
 * `npm run faults -- --rounds N [--suite S] [--kind K] [--seed N] [--keep]`: lets processes, servers and networks fail at random
 * on real Kafka and PostgreSQL, and counts. The last line is the tally; exit status 1 when it is not all noughts.
 */
import { parseArgs } from 'node:util';
import { report } from '../scripts/servers/problem.mjs';
import { KEPT_FROM, keep, perKind } from './keep.mjs';
import { LATE_MS } from './judge-target.mjs';
import { ASKED_FOR, matrix, nameOf, shuffled, SUITES } from './plan.mjs';
import { isClean, nothingFound, Rounds } from './rounds.mjs';

const WHAT = ['all', ...ASKED_FOR];
const SHOWN = 20;
const print = (line) => process.stdout.write(`${line}\n`);

function readArguments() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      suite: { type: 'string', default: 'all' },
      kind: { type: 'string', default: 'all' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      keep: { type: 'boolean', default: false },
    },
  });
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds must be a whole number above 0');
  if (!Number.isInteger(seed) || seed < 0) throw new TypeError('--seed must be a whole number');
  if (!SUITES.includes(values.suite)) throw new TypeError(`--suite must be one of ${SUITES.join(', ')}`);
  if (!WHAT.includes(values.kind)) throw new TypeError(`--kind must be one of ${WHAT.join(', ')}`);
  const { suite, kind } = values;
  if (matrix({ suite, kind }).length === 0)
    throw new TypeError(`\`${kind}\` is nothing that happens in the suite \`${suite}\``);
  return { rounds, seed, suite, kind, kept: values.keep || rounds >= KEPT_FROM };
}

function planOf({ rounds, ...settings }) {
  const plan = [];
  for (const accident of shuffled(settings)) {
    plan.push(accident);
    if (plan.length === rounds) return plan;
  }
}

async function main(rounds, settings) {
  const { seed, suite, kind } = settings;
  const plan = planOf(settings);
  print(
    `${plan.length} rounds of ${matrix(settings).length} accidents (suite ${suite}, kind ${kind}), seed ${seed}`,
  );
  const total = nothingFound();
  const played = [];
  const add = (found, about) => {
    for (const [what, list] of Object.entries(found)) {
      total[what].push(...list);
      for (const each of list.slice(0, SHOWN)) print(`  ${what}: ${each}`);
      if (list.length > SHOWN) print(`  ${what}: … and ${list.length - SHOWN} more`);
    }
    if (isClean(found)) return;
    for (const line of rounds.timelineOf(found)) print(`    ${line}`);
    print(`  found in ${about}, seed ${seed}`);
  };
  for (const [index, accident] of plan.entries()) {
    const startedAtMs = performance.now();
    const rest = plan.slice(index + 1);
    const { happened, found, notes, longestMs } = await rounds.play([accident], {
      seed: seed + index,
      next: (service) => rest.find((later) => later.point !== undefined && later.service === service) ?? null,
    });
    const seconds = (performance.now() - startedAtMs) / 1_000;
    played.push({ kind: accident.kind, seconds, happened: happened.length > 0, found, longestMs });
    const how = [...(happened.length > 0 ? [] : ['did not come about']), ...notes].map((note) => `  ${note}`);
    print(
      `${String(index + 1).padStart(4)} ${seconds.toFixed(1).padStart(5)} s  ${nameOf(accident)}${longest(longestMs)}${how.join(',')}`,
    );
    add(found, `round ${index + 1}`);
  }
  add(await rounds.judgeAll(), 'the last look at everything');
  const kinds = perKind(played);
  for (const [each, { rounds: count, unhappened, meanSeconds, longestUseMs }] of Object.entries(kinds))
    print(
      `${each.padEnd(16)} ${String(count).padStart(3)} rounds of ${meanSeconds} s, ${unhappened} did not come about, a lease of use for ${longestUseMs} ms at most`,
    );
  const issued = Object.entries(rounds.issued).map(([kind, count]) => `${count} ${kind}`);
  print(`leases issued: ${issued.join(', ')}`);
  print(`${rounds.entries} entries in the log`);
  if (settings.kept) print(`kept in ${keep({ settings, played, kinds, total, entries: rounds.entries })}`);
  const count = (what) => `${total[what].length} ${what}`;
  print(`rounds ${plan.length}, ${['lost', 'duplicated', 'orphans', 'late'].map(count).join(', ')}`);
  return isClean(total) ? 0 : 1;
}

/** What comes near to being late is worth a look. */
const longest = (ms) => (ms > LATE_MS / 5 ? `  (a lease was of use for ${ms} ms)` : '');

let rounds;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
try {
  const settings = readArguments();
  rounds = await Rounds.open({ hasCache: settings.suite === 'providers' });
  process.exitCode = await main(rounds, settings);
} catch (error) {
  process.exitCode = report(error);
} finally {
  await rounds?.close();
}
