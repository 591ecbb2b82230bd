/** `npm run reset`: stops what runs on the state folder, and removes the folder with everything in it. */
import { existsSync, lstatSync } from 'node:fs';
import { realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findEngine } from './servers/docker.mjs';
import { containerName, removeKafkaVolume } from './servers/kafka-container.mjs';
import { eventually } from './servers/ports.mjs';
import { Problem, report } from './servers/problem.mjs';
import { keptBus } from './start/bus.mjs';
import { endLeftovers } from './start/leftovers.mjs';
import { MARKER, stateDirHolder } from './start/state-dir.mjs';

const root = join(import.meta.dirname, '..');

async function reset(env) {
  const named = env.MAYFLY_STATE_DIR ? resolve(root, env.MAYFLY_STATE_DIR) : join(root, '.mayfly');
  if (!existsSync(named)) {
    await rm(named, { force: true }); // a link whose folder is gone
    process.stdout.write(`nothing to remove: ${named} does not exist\n`);
    return;
  }
  const stateDir = await realpath(named);
  if (env.MAYFLY_STATE_DIR && !existsSync(join(stateDir, MARKER))) {
    throw new Problem(
      `MAYFLY_STATE_DIR (${stateDir}) was not made by Mayfly, so it is not removed`,
      'Name the right folder, or remove it yourself',
    );
  }
  await endStart(stateDir);
  await endLeftovers(stateDir);
  if (keptBus(stateDir) === 'kafka-container')
    await removeKafkaVolume(await findEngine(env), containerName(stateDir));
  await rm(stateDir, { recursive: true, force: true });
  if (lstatSync(named, { throwIfNoEntry: false })?.isSymbolicLink()) await rm(named);
  process.stdout.write(`removed ${stateDir}\n`);
}

async function endStart(stateDir) {
  for (const signal of ['SIGTERM', 'SIGKILL']) {
    const holder = await stateDirHolder(stateDir);
    if (holder === null) return;
    process.stdout.write(`stopping the Mayfly that runs on it (process ${holder})\n`);
    process.kill(holder, signal);
    const isGone = async () => (await stateDirHolder(stateDir)) !== holder;
    await eventually(isGone, { everyMs: 100, withinMs: 40_000 });
  }
}

await reset(process.env).catch((error) => {
  process.exitCode = report(error);
});
