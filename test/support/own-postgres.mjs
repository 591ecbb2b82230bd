import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withPort } from '../../scripts/servers/ports.mjs';
import { postgresUser, temporaryFolder } from '../../scripts/servers/postgres-user.mjs';
import { startPostgres } from '../../scripts/servers/postgres.mjs';
import { run, systemProgram } from '../../scripts/servers/run.mjs';
import { defaultStateDir } from '../../scripts/start/state-dir.mjs';

const root = join(import.meta.dirname, '..', '..');
const anyPort = { variable: '', wanted: 0, explicit: false };
const SAME_PORT_TRIES = 50;
const TRY_AGAIN_MS = 100;

export { findPostgres } from '../../scripts/servers/postgres-binaries.mjs';

export async function startOwnPostgres({ durable = false, other } = {}) {
  const folder = await temporaryFolder('mayfly-own-', await postgresUser());
  const [dir, backup] = [join(folder, 'data'), join(folder, 'backup')];
  const options = {
    dir,
    superuserPassword: randomBytes(18).toString('base64url'),
    durable,
    other,
    cacheDir: await defaultStateDir(root),
    reaper: { remove: [folder] },
  };
  const remove = () => rm(folder, { recursive: true, force: true });
  let server;
  try {
    server = await withPort(anyPort, (port) => startPostgres({ ...options, port }));
  } catch (error) {
    await remove();
    throw error;
  }
  const { url, port } = server;

  /** Somebody else may have the port for a moment: each connection of anybody takes one. */
  const startAgain = async () => {
    for (let tries = 1; ; tries += 1) {
      try {
        server = await startPostgres({ ...options, port });
        return;
      } catch (error) {
        if (error?.portTaken !== true || tries === SAME_PORT_TRIES) throw error;
        await sleep(TRY_AGAIN_MS);
      }
    }
  };
  /** While it stands still; the owner of the files stays the same. */
  const stopped = async (act) => {
    await server.stop();
    await act();
    await startAgain();
  };
  const copy = async (from, to) => {
    await rm(to, { recursive: true, force: true });
    const { code, output } = await run(systemProgram('cp'), ['-a', from, to]);
    if (code !== 0) throw new Error(`a data folder cannot be copied: ${output.trim().slice(-500)}`);
  };

  return {
    url,
    restart: () => stopped(async () => {}),
    async backUp() {
      await stopped(() => copy(dir, backup));
      return () => stopped(() => copy(backup, dir));
    },
    async stop() {
      await server.stop();
      await remove();
    },
  };
}
