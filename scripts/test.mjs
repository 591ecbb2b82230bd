/**
 * `npm test`, after the checks: unit specs two at a time, then those that share servers one after the other. Both are run whatever the first
 * comes to; the last line is the tally of both.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const RUNS = [
  ['--selectProjects', 'unit', '--maxWorkers', '2'],
  ['--selectProjects', 'int', 'e2e', '--runInBand'],
];
const JEST = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];

const folder = mkdtempSync(join(tmpdir(), 'mayfly-tally-'));
const statuses = [];
const total = { passed: 0, failed: 0, skipped: 0 };
for (const [index, args] of RUNS.entries()) {
  const tally = join(folder, `${index}.json`);
  const jest = spawn(process.execPath, [...JEST, ...args, ...process.argv.slice(2)], {
    stdio: 'inherit',
    env: { ...process.env, MAYFLY_TALLY: tally },
  });
  const [status] = await once(jest, 'exit');
  statuses.push(status);
  for (const [what, count] of Object.entries(tallyIn(tally))) total[what] += count;
}
rmSync(folder, { recursive: true, force: true });
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`);
process.exitCode = statuses.every((status) => status === 0) ? 0 : 1;

/** A run that ended before it counted has failed. */
function tallyIn(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
