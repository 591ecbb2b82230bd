import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findEngine } from '../servers/docker.mjs';
import { startKafka } from '../servers/kafka.mjs';
import { containerName, startKafkaContainer } from '../servers/kafka-container.mjs';
import { withPort } from '../servers/ports.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { BUS_ROLES, BUS_SCHEMA, prepareOwnDatabase, ROLES } from './own-database.mjs';
import { keepSecrets } from './secrets.mjs';
import { prepareTarget, TARGET_DATABASE, TARGET_ROLES } from './target-database.mjs';

/**
 * Kafka: KAFKA_BROKERS when set, else the embedded one, on the local Java or in a container.
 * @param {import('./stack.mjs').StackContext} context
 * @param {Exclude<import('./bus.mjs').ChosenBus, 'postgres'>} bus
 * @returns {Promise<string>} `host:port[,…]`
 */
export async function openKafka(context, bus) {
  const { stateDir, cacheDir, env, ports, reaper, say, parts, logFile, through, servers } = context;
  if (env.KAFKA_BROKERS) {
    say('kafka', `${env.KAFKA_BROKERS} (from KAFKA_BROKERS)`);
    return env.KAFKA_BROKERS;
  }
  say('kafka', 'starting');
  const start = async (port) => {
    const settings = {
      port,
      advertisedPort: through('kafka', port),
      log: (line) => say('kafka', line),
      logFile: logFile('kafka'),
      onSpawn: (child) => parts.add(child),
    };
    const kafka =
      bus === 'kafka'
        ? await startKafka({
            ...settings,
            dir: join(stateDir, 'kafka'),
            jarsDir: join(cacheDir, 'jars'),
            reaper,
          })
        : await startKafkaContainer({
            ...settings,
            name: containerName(stateDir),
            engine: await findEngine(env),
          });
    parts.watch(kafka.child);
    servers.set('kafka', { child: kafka.child, again: () => start(port) });
    return kafka;
  };
  const { brokers } = await withPort(ports.kafka, start);
  say('kafka', brokers);
  return brokers;
}

/**
 * Mayfly's own database: on the server of DATABASE_URL when set, else on an embedded one.
 * @param {import('./stack.mjs').StackContext} context
 * @param {import('./bus.mjs').ChosenBus} bus with `postgres` it holds the bus as well
 * @returns {Promise<{ adminUrl: string, urlOf(role: string): string }>}
 */
export async function openOwnDatabase(context, bus) {
  const { root, stateDir, env, say } = context;
  const withBus = bus === 'postgres';
  const passwords = keepSecrets(stateDir, 'database', withBus ? [...ROLES, ...BUS_ROLES] : ROLES);
  const prepare = async (adminUrl) => {
    const own = await prepareOwnDatabase(adminUrl, passwords, { withBus });
    if (withBus) await prepareBus(root, own);
    return own;
  };
  if (env.DATABASE_URL) {
    const own = await prepare(env.DATABASE_URL);
    say('postgres', `${new URL(env.DATABASE_URL).host} (from DATABASE_URL)`);
    return own;
  }
  const { url, host, port } = await openPostgres(context, 'postgres');
  const own = await prepare(url);
  say('postgres', `${host}:${port}`);
  return own;
}

async function prepareBus(root, own) {
  const built = join(root, 'dist', 'libs', 'bus', 'src', 'postgres', 'prepare.js');
  const { prepareBus } = await import(pathToFileURL(built).href);
  const [owner, ...logins] = BUS_ROLES;
  await prepareBus({ url: own.urlOf(owner), schema: BUS_SCHEMA }, logins);
}

/**
 * The sample's target, always a cluster of its own.
 * @param {import('./stack.mjs').StackContext} context
 * @returns {Promise<{ superuserUrl: string, loginOf(role: string): Record<string, string> }>} `loginOf`: the environment of a
 *   service that logs in with that role
 */
export async function openTarget(context) {
  const { root, stateDir, say } = context;
  const passwords = keepSecrets(stateDir, 'target', TARGET_ROLES);
  const { url, host, port } = await openPostgres(context, 'target');
  const { superuserUrl } = await prepareTarget(url, join(root, 'deploy', 'sample', 'target'), passwords);
  say('target', `${host}:${port}`);
  return {
    superuserUrl,
    loginOf: (role) => ({
      MAYFLY_TARGET_HOST: host,
      MAYFLY_TARGET_PORT: String(port),
      MAYFLY_TARGET_DATABASE: TARGET_DATABASE,
      MAYFLY_TARGET_USER: role,
      MAYFLY_TARGET_PASSWORD: passwords[role],
    }),
  };
}

async function openPostgres(context, name) {
  const { stateDir, cacheDir, ports, durable, reaper, say, parts, logFile, servers } = context;
  say(name, 'starting');
  const { superuser } = keepSecrets(stateDir, `${name}-superuser`, ['superuser']);
  const start = async (port) => {
    const postgres = await startPostgres({
      name,
      dir: join(stateDir, name),
      port,
      superuserPassword: superuser,
      durable,
      cacheDir,
      logFile: logFile(name),
      reaper,
      onSpawn: (child) => parts.add(child),
    });
    parts.watch(postgres.child);
    servers.set(name, { child: postgres.child, again: () => start(port) });
    return postgres;
  };
  return await withPort(ports[name], start);
}
