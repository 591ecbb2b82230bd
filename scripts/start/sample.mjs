import { join } from 'node:path';
import { startChild } from '../servers/child.mjs';
import { Failure } from '../servers/problem.mjs';
import { ending } from './services.mjs';

/**
 * Runs the sample task against a stack that is up; it tells its story on our standard output.
 * @param {{ root: string, stack: import('./stack.mjs').Stack, env: NodeJS.ProcessEnv }} options
 * @throws {Failure} when the sample did not hold
 */
export async function runSample({ root, stack, env }) {
  const main = join('dist', 'apps', 'cli', 'src', 'sample', 'main.js');
  const child = await startChild(process.execPath, [main], {
    name: 'sample',
    logFile: null,
    cwd: root,
    env: { ...env, MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: stack.stateDir },
  });
  await stack.attach(child);
  const { code } = await child.exited;
  if (code !== 0) throw new Failure(`the sample task failed (${ending(child)})`);
}
