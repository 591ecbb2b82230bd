/**
 * `node faults/log-run.mjs [--kills N] [--restarts N] [--seed N] [--keep]`: kills the auditor at random moments, alone and beside another, and restarts its
 * database, while records pour in; then judges the log. The last line is the tally; exit status 1 when it is not all noughts.
 */
import { parseArgs } from 'node:util';
import { report } from '../scripts/servers/problem.mjs';
import { isSound } from './judge-log.mjs';
import { KEPT_FROM, keepLog } from './keep.mjs';
import { logPlan, nameOfStep } from './log-plan.mjs';
import { LogRounds } from './log-rounds.mjs';

const SHOWN = 20;
const print = (line) => process.stdout.write(`${line}\n`);

function readArguments() {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '20' },
      restarts: { type: 'string', default: '2' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      keep: { type: 'boolean', default: false },
    },
  });
  const wanted = Object.fromEntries(
    ['kills', 'restarts', 'seed'].map((name) => {
      const number = Number(values[name]);
      if (!Number.isInteger(number) || number < 0) throw new TypeError(`--${name} must be a whole number`);
      return [name, number];
    }),
  );
  return { wanted, kept: values.keep || wanted.kills >= KEPT_FROM };
}

async function main(rounds, { wanted, kept }) {
  const plan = logPlan(wanted);
  print(
    `${plan.length} steps, ${wanted.kills} kills, ${wanted.restarts} restarts of PostgreSQL, seed ${wanted.seed}`,
  );
  const beganMs = performance.now();
  for (const [index, step] of plan.entries()) {
    const startedMs = performance.now();
    await rounds.play(step);
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(1);
    print(`${String(index + 1).padStart(4)} ${seconds.padStart(5)} s  ${nameOfStep(step)}`);
  }
  const { found, entries, checkpoints } = await rounds.judge();
  for (const [what, list] of Object.entries(found))
    for (const each of list.slice(0, SHOWN)) print(`  ${what}: ${each}`);
  if (!isSound(found)) for (const line of rounds.warnings()) print(`    ${line}`);
  const { kills } = rounds;
  const minutes = (performance.now() - beganMs) / 60_000;
  const result = { seed: wanted.seed, kills, restarts: wanted.restarts, plan, minutes, entries, checkpoints };
  if (kept) print(`kept in ${keepLog({ ...result, gaveUp: rounds.gaveUp, found })}`);
  print(
    `${entries} entries, ${checkpoints} checkpoints, ${rounds.gaveUp} times the auditor gave up and was started again`,
  );
  const count = (what) => `${found[what].length} ${what}`;
  print(`kills ${kills}, restarts ${wanted.restarts}, ${Object.keys(found).map(count).join(', ')}`);
  return isSound(found) ? 0 : 1;
}

let rounds;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));
try {
  const settings = readArguments();
  rounds = await LogRounds.open();
  process.exitCode = await main(rounds, settings);
} catch (error) {
  process.exitCode = report(error);
} finally {
  await rounds?.close();
}
