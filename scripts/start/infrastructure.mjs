import { join } from 'node:path';
import { startKafka } from '../servers/kafka.mjs';
import { findJava } from '../servers/kafka-jars.mjs';
import { accepts, withPort } from '../servers/ports.mjs';
import { startPostgres } from '../servers/postgres.mjs';
import { Problem } from '../servers/problem.mjs';
import { prepareOwnDatabase, ROLES } from './own-database.mjs';
import { keepSecrets } from './secrets.mjs';
import { prepareTarget, TARGET_DATABASE, TARGET_ROLES } from './target-database.mjs';

/**
 * What can be told about Kafka at once, before anything is started.
 * @param {NodeJS.ProcessEnv} env
 * @throws {Problem} when KAFKA_BROKERS do not answer, or there is no Java for the embedded one
 */
export async function requireKafka(env) {
  if (env.KAFKA_BROKERS) await requireReachable(env.KAFKA_BROKERS);
  else await findJava(env);
}

/**
 * Kafka: KAFKA_BROKERS when set, else the embedded one.
 * @param {import('./stack.mjs').StackContext} context
 * @returns {Promise<string>} `host:port[,…]`
 */
export async function openKafka({ stateDir, cacheDir, env, ports, reaper, say, parts, logFile }) {
  if (env.KAFKA_BROKERS) {
    say('kafka', `${env.KAFKA_BROKERS} (from KAFKA_BROKERS)`);
    return env.KAFKA_BROKERS;
  }
  say('kafka', 'starting');
  const kafka = await withPort(ports.kafka, (port) =>
    startKafka({
      dir: join(stateDir, 'kafka'),
      jarsDir: join(cacheDir, 'jars'),
      port,
      log: (line) => say('kafka', line),
      logFile: logFile('kafka'),
      reaper,
      onSpawn: (child) => parts.add(child),
    }),
  );
  parts.watch(kafka.child);
  say('kafka', kafka.brokers);
  return kafka.brokers;
}

/**
 * Mayfly's own database: on the server of DATABASE_URL when set, else on an embedded one.
 * @param {import('./stack.mjs').StackContext} context
 * @returns {Promise<{ adminUrl: string, urlOf(role: string): string }>}
 */
export async function openOwnDatabase(context) {
  const { stateDir, env, say } = context;
  const passwords = keepSecrets(stateDir, 'database', ROLES);
  if (env.DATABASE_URL) {
    const own = await prepareOwnDatabase(env.DATABASE_URL, passwords);
    say('postgres', `${new URL(env.DATABASE_URL).host} (from DATABASE_URL)`);
    return own;
  }
  const { url, host, port } = await openPostgres(context, 'postgres');
  const own = await prepareOwnDatabase(url, passwords);
  say('postgres', `${host}:${port}`);
  return own;
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

async function openPostgres({ stateDir, cacheDir, ports, durable, reaper, say, parts, logFile }, name) {
  say(name, 'starting');
  const { superuser } = keepSecrets(stateDir, `${name}-superuser`, ['superuser']);
  const postgres = await withPort(ports[name], (port) =>
    startPostgres({
      name,
      dir: join(stateDir, name),
      port,
      superuserPassword: superuser,
      durable,
      cacheDir,
      logFile: logFile(name),
      reaper,
      onSpawn: (child) => parts.add(child),
    }),
  );
  parts.watch(postgres.child);
  return postgres;
}

async function requireReachable(brokers) {
  const answers = await Promise.all(
    brokers.split(',').map((address) => {
      const [, host, port] = /^\s*(.+):(\d+)\s*$/.exec(address) ?? [];
      return host === undefined ? false : accepts(Number(port), host.replace(/^\[(.*)\]$/, '$1'));
    }),
  );
  if (answers.includes(true)) return;
  throw new Problem(
    `nothing answers at KAFKA_BROKERS (${brokers})`,
    'Set it to host:port[,host:port] of a running Kafka, or unset it to get an embedded one',
  );
}
