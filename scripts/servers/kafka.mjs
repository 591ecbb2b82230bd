import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startChild } from './child.mjs';
import { coordinatorAnswers } from './kafka-coordinator.mjs';
import { findJava, kafkaJars } from './kafka-jars.mjs';
import { eventually, freePort } from './ports.mjs';
import { Failure } from './problem.mjs';
import { run } from './run.mjs';

const LOG_LEVEL = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn';
const HEAP = ['-Xmx384m', '-XX:+UseSerialGC'];
/** What its second compiler gains it costs first: a minute of it. */
const FIRST_COMPILER_ONLY = '-XX:TieredStopAtLevel=1';

/**
 * Of every Kafka that we run: one node, broker and controller at once. Its internal topics are kept small: the offsets that
 * count are in PostgreSQL. `log.cleaner.dedupe.buffer.size` is taken from the heap at start, 128 MB by default.
 */
export const NODE_SETTINGS = {
  'process.roles': 'broker,controller',
  'node.id': 1,
  'controller.listener.names': 'CONTROLLER',
  'controller.quorum.append.linger.ms': 0,
  'auto.create.topics.enable': false,
  'default.replication.factor': 1,
  'min.insync.replicas': 1,
  'group.initial.rebalance.delay.ms': 0,
  'offsets.topic.replication.factor': 1,
  'offsets.topic.num.partitions': 1,
  'offsets.topic.segment.bytes': 1_048_576,
  'transaction.state.log.replication.factor': 1,
  'transaction.state.log.min.isr': 1,
  'transaction.state.log.num.partitions': 1,
  'transaction.state.log.segment.bytes': 1_048_576,
  'share.coordinator.state.topic.replication.factor': 1,
  'share.coordinator.state.topic.min.isr': 1,
  'share.coordinator.state.topic.num.partitions': 1,
  'metadata.log.segment.bytes': 8_388_608,
  'metadata.max.retention.bytes': 33_554_432,
  'log.cleaner.dedupe.buffer.size': 16_777_216,
  'log.cleaner.threads': 1,
  'num.network.threads': 2,
  'num.io.threads': 4,
  'background.threads': 2,
};

/**
 * On loopback.
 * @param {{ dir: string, port: number, controllerPort: number, advertisedPort?: number, settings?: Record<string, string> }} node
 *   `settings` come last: a listener that is to be there beside ours is among them
 * @returns {string} server.properties
 */
export function serverProperties({ dir, port, controllerPort, advertisedPort = port, settings = {} }) {
  return Object.entries({
    ...NODE_SETTINGS,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': join(dir, 'data'),
    ...settings,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/**
 * Runs Apache Kafka on the local Java. The caller makes sure that nobody else uses `dir`.
 * @param {object} options
 * @param {string} options.dir data and settings; kept between runs, so the records are too
 * @param {string} options.jarsDir where the jars are cached
 * @param {number} options.port where clients connect, on 127.0.0.1
 * @param {number} [options.advertisedPort] where they are told to connect, when something stands between
 * @param {(listeners: { controllerPort: number }) => Record<string, string>} [options.settings] of the server, beside those of ours or in their place
 * @param {(line: string) => void} [options.log] told about what takes long
 * @param {boolean} [options.isShortLived] ends within minutes
 * @param {string} [options.logFile] Kafka's own warnings; `<dir>.log` unless told
 * @param {{ remove: string[] } | null} [options.reaper] see startChild; for throw-away servers
 * @param {(child: Awaited<ReturnType<typeof startChild>>) => Promise<void>} [options.onSpawn] told of the process before it is ready
 * @returns {Promise<{ brokers: string, port: number, pid: number, child: Awaited<ReturnType<typeof startChild>>, stop(): Promise<void> }>}
 * @throws {import('./problem.mjs').Problem} without Java or Maven
 * @throws {Error} `portTaken: true` when another program got the port first
 */
export async function startKafka(options) {
  const { dir, jarsDir, port, log = () => {}, logFile = `${dir}.log`, reaper = null, onSpawn } = options;
  const { advertisedPort = port, settings = () => ({}), isShortLived = false } = options;
  const java = await findJava();
  const jars = await kafkaJars({ jarsDir, log });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const properties = join(dir, 'server.properties');
  const controllerPort = await freePort();
  await writeFile(
    properties,
    serverProperties({ dir, port, advertisedPort, controllerPort, settings: settings({ controllerPort }) }),
  );
  const classPath = ['-cp', join(jars, '*')];
  await formatOnce({ dir, java, classPath, properties });
  const runtime = isShortLived ? [...HEAP, FIRST_COMPILER_ONLY] : HEAP;
  const child = await startChild(java, [...runtime, LOG_LEVEL, ...classPath, 'kafka.Kafka', properties], {
    name: 'kafka',
    logFile,
    cwd: dir,
    stopSignal: reaper === null ? 'SIGTERM' : 'SIGKILL',
    reaper,
  });
  await onSpawn?.(child);
  const ended = () => child.end() !== null;
  const up = await eventually(() => coordinatorAnswers(port), { everyMs: 50, withinMs: 90_000, ended });
  if (!up || ended()) {
    await child.stop();
    const tail = (await readFile(logFile)).subarray(child.logFrom).toString('utf8');
    const error = new Failure(`Kafka did not start; see ${logFile}`);
    throw Object.assign(error, { portTaken: /address already in use/i.test(tail) });
  }
  return {
    brokers: `127.0.0.1:${advertisedPort}`,
    port,
    pid: child.pid,
    child,
    async stop() {
      await child.stop();
    },
  };
}

/** A format that was cut short leaves no `meta.properties`, so it is done again from nothing. */
async function formatOnce({ dir, java, classPath, properties }) {
  if (existsSync(join(dir, 'data', 'meta.properties'))) return;
  await rm(join(dir, 'data'), { recursive: true, force: true });
  const id = randomBytes(16);
  id[0] &= 0x7f; // or its text could begin with `-` and be taken for an option
  const clusterId = id.toString('base64url');
  const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', properties];
  const { code, output } = await run(java, [
    ...HEAP,
    FIRST_COMPILER_ONLY,
    LOG_LEVEL,
    ...classPath,
    ...format,
  ]);
  if (code !== 0) throw new Failure(`Kafka's storage could not be formatted: ${output.trim().slice(-500)}`);
}
