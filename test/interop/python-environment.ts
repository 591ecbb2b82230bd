/** A Python with the packages of requirements.txt, in a virtual environment of its own, made once and kept. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALL_WITHIN_MS = 300_000;

export type PythonEnvironment = { python: string } | { missing: string };

/** @param cacheDir where virtual environments are kept, one for each Python and set of packages */
export async function pythonEnvironment(requirements: string, cacheDir: string): Promise<PythonEnvironment> {
  const version = await outputOf('python3', ['--version']);
  if (version === undefined) return { missing: 'no python3' };
  const packages = readFileSync(requirements);
  const name = createHash('sha256').update(version).update(packages).digest('hex').slice(0, 16);
  const folder = join(cacheDir, `interop-venv-${name}`);
  const python = join(folder, 'bin', 'python');
  if (existsSync(python)) return { python };

  const draft = `${folder}.${process.pid}`;
  try {
    if ((await failure('python3', ['-m', 'venv', draft])) !== undefined)
      return { missing: 'python3 has no venv with pip' };
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements];
    const why = await failure(join(draft, 'bin', 'python'), pip);
    if (why !== undefined) return { missing: `pip could not install the packages (${why})` };
    // Only whole ones get the name. Its interpreter finds its packages from its own place, so it may be moved.
    await rename(draft, folder);
    return { python };
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

async function outputOf(command: string, args: string[]): Promise<string | undefined> {
  try {
    return (await run(command, args)).stdout.trim();
  } catch {
    return undefined;
  }
}

/** The last line of what a command complained, or undefined if it did what it should. */
async function failure(command: string, args: string[]): Promise<string | undefined> {
  try {
    await run(command, args, { timeout: INSTALL_WITHIN_MS });
    return undefined;
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    return stderr.trim().split('\n').at(-1) || 'no reason given';
  }
}
