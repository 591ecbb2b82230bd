import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lock } from '../start/lock.mjs';
import { Failure, Problem } from '../servers/problem.mjs';
import { run } from '../servers/run.mjs';

const root = join(import.meta.dirname, '..', '..');
/**
 * An npm that does not know `allowScripts` would compile the optional parts of ssh2, which nothing here uses, and fetch Node's
 * headers for it from elsewhere. It is to take them from here, and to do without where there are none.
 */
const nodeDir = join(process.execPath, '..', '..');
/** node_modules, the build, Kafka's jars and npm's own cache, rounded up. */
const NEEDED_BYTES = 1.5 * 2 ** 30;

/**
 * Brings node_modules to what package-lock.json says and builds `dist`. Two at once in one clone take turns.
 * @param {{ build: boolean }} options
 * @returns {Promise<void>}
 * @throws {Problem} when the disk is nearly full, or npm's registry cannot be reached
 */
export async function setUp({ build }) {
  const held = await lock(join(root, '.cache', 'setup.lock'), { waitMs: 15 * 60_000 });
  try {
    if (isStale()) await install();
    if (build) await compile();
  } finally {
    held.release();
  }
}

/** npm writes this file last, so it is missing or old when an install was cut short. */
function isStale() {
  const done = join(root, 'node_modules', '.package-lock.json');
  return !existsSync(done) || statSync(done).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs;
}

async function install() {
  requireDisk(root);
  process.stderr.write('installing the npm packages (only when they changed)\n');
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
  // With NODE_ENV=production npm would leave out the compiler.
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  const patience = ['--fetch-retries=2', '--fetch-retry-mintimeout=2000', '--fetch-retry-maxtimeout=10000'];
  const env = { ...process.env, npm_config_nodedir: process.env.npm_config_nodedir ?? nodeDir };
  const { code, output } = await run(npm[0], [...npm.slice(1), ...args, ...patience], { cwd: root, env });
  if (code === 0) return;
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH/.test(output)) {
    throw new Problem(
      'the npm registry cannot be reached',
      'Check the network, or the `registry` and `proxy` of `npm config`, then run it again',
    );
  }
  process.stderr.write(output);
  throw new Problem(`npm ci failed with status ${code}`, 'See its own message above');
}

async function compile() {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await run(process.execPath, [tsc, '-b', 'tsconfig.build.json'], { cwd: root });
  if (code === 0) return;
  process.stderr.write(output);
  throw new Failure('the build failed');
}

/**
 * @param {string} folder
 * @throws {Problem} when its file system has too little room for an installation
 */
export function requireDisk(folder, neededBytes = NEEDED_BYTES) {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free >= neededBytes) return;
  const megabytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MB`;
  throw new Problem(
    `only ${megabytes(free)} are free on the disk of ${folder}, and ${megabytes(neededBytes)} are needed`,
    'Make room, then run it again',
  );
}
