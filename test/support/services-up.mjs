import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startKafka } from '../../scripts/servers/kafka.mjs';
import { withPort } from '../../scripts/servers/ports.mjs';
import { oneLine, Problem } from '../../scripts/servers/problem.mjs';
import { postgresUser, temporaryFolder } from '../../scripts/servers/postgres-user.mjs';
import { startPostgres } from '../../scripts/servers/postgres.mjs';
import { defaultStateDir } from '../../scripts/start/state-dir.mjs';

const anyPort = { variable: '', wanted: 0, explicit: false };
const root = join(import.meta.dirname, '..', '..');

/**
 * Gives the tests that need them a Kafka and two PostgreSQL clusters of their own, in a temporary folder: KAFKA_BROKERS,
 * DATABASE_URL (Mayfly's own cluster) and TARGET_URL (the target's), each superuser. One that is set already is used instead.
 */
export default async function servicesUp() {
  const stateDir = await defaultStateDir(root);
  const folder = await temporaryFolder('mayfly-test-', await postgresUser());
  const reaper = { remove: [folder] };
  const log = (line) => process.stderr.write(`${line}\n`);
  const postgres = (name) =>
    withPort(anyPort, (port) =>
      startPostgres({
        dir: join(folder, name),
        port,
        superuserPassword: randomBytes(18).toString('base64url'),
        durable: false,
        cacheDir: stateDir,
        reaper,
      }),
    );
  const wanted = {
    KAFKA_BROKERS: () =>
      withPort(anyPort, (port) =>
        startKafka({
          dir: join(folder, 'kafka'),
          jarsDir: join(stateDir, 'jars'),
          port,
          log,
          reaper,
          isShortLived: true,
        }),
      ),
    DATABASE_URL: () => postgres('postgres'),
    TARGET_URL: () => postgres('target'),
  };
  const missing = Object.keys(wanted).filter((variable) => !process.env[variable]);
  const results = await Promise.allSettled(missing.map((variable) => wanted[variable]()));
  const servers = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const stop = async () => {
    await Promise.allSettled(servers.map((server) => server.stop()));
    await rm(folder, { recursive: true, force: true });
  };
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) {
    // jest runs no teardown after a failed set-up.
    await stop();
    throw failed.reason instanceof Problem ? new Error(oneLine(failed.reason)) : failed.reason;
  }
  missing.forEach((variable, index) => {
    process.env[variable] = servers[index].brokers ?? servers[index].url;
  });
  globalThis.mayflyTestServices = { stop };
}
