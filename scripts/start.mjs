/**
 * `npm start`: brings everything up, runs the sample task, and stays until Ctrl-C. Exit status: 0 after Ctrl-C or SIGTERM,
 * 1 when a part or the sample failed, 2 when the user can mend it (one line says how).
 */
import { join } from 'node:path';
import { report } from './servers/problem.mjs';
import { requireDisk } from './setup/install.mjs';
import { endLeftovers } from './start/leftovers.mjs';
import { runSample } from './start/sample.mjs';
import { ending, tail } from './start/services.mjs';
import { startSettings } from './start/settings.mjs';
import { Stack } from './start/stack.mjs';
import { holdStateDir, openStateDir } from './start/state-dir.mjs';

const NEEDED_BYTES = 512 * 2 ** 20;
const root = join(import.meta.dirname, '..');
const print = (line) => process.stdout.write(`${line}\n`);
const say = (part, text) => print(`${part.padEnd(9)} ${text}`);
// A reader that went away (`npm start | head`) is no reason to leave servers running without an owner.
process.stdout.on('error', () => void leave(0));

let stack;
let leaving;
/** Stops everything and exits, once; a second Ctrl-C does not wait. */
function leave(status) {
  leaving ??= (async () => {
    await stack?.stop();
    process.exit(status);
  })().catch((error) => process.exit(report(error)));
  return leaving;
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    if (leaving !== undefined) process.exit(1);
    say('mayfly', 'stopping');
    void leave(0);
  });
}

function onDeath(child) {
  process.stderr.write(
    `mayfly: ${child.name} ended unexpectedly (${ending(child)}); the end of ${child.logFile}:\n`,
  );
  process.stderr.write(`${tail(child)}\n`);
  void leave(1);
}

try {
  const { ports, withSample } = startSettings(process.env);
  const stateDir = await openStateDir(root, process.env);
  await holdStateDir(stateDir);
  requireDisk(stateDir, NEEDED_BYTES);
  for (const name of await endLeftovers(stateDir)) say(name, 'ended what an earlier start had left running');
  stack = new Stack({ root, stateDir, env: process.env, ports, say, onDeath });
  await stack.open();
  print('mayfly ready');
  if (withSample) {
    await runSample({ root, stack, env: process.env });
    print('sample task passed');
  }
  say('mayfly', 'up until Ctrl-C');
} catch (error) {
  if (leaving === undefined) await leave(report(error));
}
