/**
 * `npm run faults -- --rounds N [--suite all|broker|revoker|auditor] [--seed K]`: kills processes at random points on real Kafka
 * and PostgreSQL, and counts. The last line is the tally; exit status 1 when it is not all noughts.
 */
import { parseArgs } from 'node:util';
import { report } from '../scripts/servers/problem.mjs';
import { matrix, shuffled } from './plan.mjs';
import { isClean, nothingFound, Rounds } from './rounds.mjs';

const SUITES = ['all', 'broker', 'revoker', 'auditor'];
const SHOWN = 20;
const print = (line) => process.stdout.write(`${line}\n`);

function readArguments() {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '20' },
      suite: { type: 'string', default: 'all' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    },
  });
  const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds must be a whole number above 0');
  if (!Number.isInteger(seed) || seed < 0) throw new TypeError('--seed must be a whole number');
  if (!SUITES.includes(values.suite)) throw new TypeError(`--suite must be one of ${SUITES.join(', ')}`);
  return { rounds, seed, suite: values.suite };
}

function planOf({ rounds, suite, seed }) {
  const plan = [];
  for (const round of shuffled(suite, seed)) {
    plan.push(round);
    if (plan.length === rounds) return plan;
  }
}

async function main(rounds, { suite, seed, ...settings }) {
  const plan = planOf({ ...settings, suite, seed });
  print(`${plan.length} rounds over ${matrix(suite).length} points (suite ${suite}), seed ${seed}`);
  const total = nothingFound();
  let unpassed = 0;
  const add = (found, about) => {
    for (const [kind, list] of Object.entries(found)) {
      total[kind].push(...list);
      for (const what of list.slice(0, SHOWN)) print(`  ${kind}: ${what}`);
      if (list.length > SHOWN) print(`  ${kind}: … and ${list.length - SHOWN} more`);
    }
    if (isClean(found)) return;
    for (const line of rounds.timelineOf(found)) print(`    ${line}`);
    print(`  found in ${about}, seed ${seed}`);
  };
  for (const [index, death] of plan.entries()) {
    const startedAtMs = performance.now();
    const rest = plan.slice(index + 1);
    const { passed, found } = await rounds.play([death], {
      seed: seed + index,
      next: (service) => rest.find((later) => later.service === service) ?? null,
    });
    if (passed.length === 0) unpassed += 1;
    const seconds = ((performance.now() - startedAtMs) / 1_000).toFixed(1).padStart(5);
    const how = passed.length > 0 ? 'died there' : 'did not pass it, killed at the end';
    print(
      `${String(index + 1).padStart(4)} ${seconds} s  ${death.service} ${death.point}:${death.nth}  ${how}`,
    );
    add(found, `round ${index + 1}`);
  }
  add(await rounds.judgeAll(), 'the last look at everything');
  print(`${rounds.entries} entries in the log; ${unpassed} points were not passed`);
  const count = (kind) => `${total[kind].length} ${kind}`;
  print(`rounds ${plan.length}, ${['lost', 'duplicated', 'orphans', 'late'].map(count).join(', ')}`);
  return isClean(total) ? 0 : 1;
}

let rounds;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
try {
  const settings = readArguments();
  rounds = await Rounds.open();
  process.exitCode = await main(rounds, settings);
} catch (error) {
  process.exitCode = report(error);
} finally {
  await rounds?.close();
}
