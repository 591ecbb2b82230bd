import { createHash } from 'node:crypto';
import { createWriteStream, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { IMAGES } from './docker.mjs';
import { NODE_SETTINGS } from './kafka.mjs';
import { coordinatorAnswers } from './kafka-coordinator.mjs';
import { eventually } from './ports.mjs';
import { Failure, Problem } from './problem.mjs';

const CLIENTS_PORT = 9092;
const DATA = '/var/lib/kafka/data';
const STOPS_WITHIN_MS = 15_000;

/** What a state folder's container is called, and the volume that keeps its records. */
export const containerName = (stateDir) =>
  `mayfly-kafka-${createHash('sha256').update(stateDir).digest('hex').slice(0, 16)}`;

/**
 * The image makes its server.properties of these. Clients come in through the one port that the host has; what the node says to
 * itself stays inside.
 * @param {number} advertisedPort where clients are told to connect, on the host's loopback
 * @returns {Record<string, string>}
 */
export function containerEnvironment(advertisedPort) {
  const settings = {
    ...NODE_SETTINGS,
    'controller.quorum.voters': '1@127.0.0.1:9093',
    listeners: `PLAINTEXT://0.0.0.0:${CLIENTS_PORT},INTERNAL://127.0.0.1:9094,CONTROLLER://127.0.0.1:9093`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${advertisedPort},INTERNAL://127.0.0.1:9094`,
    'inter.broker.listener.name': 'INTERNAL',
    'listener.security.protocol.map': 'PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
    'log.dirs': DATA,
  };
  const variables = Object.entries(settings).map(([key, value]) => [
    `KAFKA_${key.toUpperCase().replaceAll('.', '_')}`,
    String(value),
  ]);
  return { ...Object.fromEntries(variables), KAFKA_HEAP_OPTS: '-Xmx384m' };
}

/**
 * Runs Apache Kafka in a container. Its records are kept in a named volume between runs; the container itself is removed, by
 * testcontainers' reaper even after a SIGKILL of this process. The caller makes sure that nobody else uses the name.
 * @param {object} options
 * @param {{ testcontainers: object, client: object }} options.engine from findEngine
 * @param {string} options.name from containerName
 * @param {number} options.port on the host's loopback
 * @param {number} [options.advertisedPort] see startKafka
 * @param {string} options.logFile
 * @param {(line: string) => void} options.log
 * @param {(child: object) => Promise<void>} options.onSpawn
 * @returns {Promise<{ brokers: string, port: number, child: object }>} `child` as startChild's, without a process of ours
 * @throws {Error} `portTaken: true` when another program got the port first
 */
export async function startKafkaContainer(options) {
  const { engine, name, port, advertisedPort = port, logFile, log, onSpawn } = options;
  const { client, testcontainers } = engine;
  await client.container.getById(name).remove({ force: true }).catch(ignoreMissing);
  log(`in a container, ${IMAGES.kafka} (pulled the first time)`);
  const container = await loopbackContainer(testcontainers, port)
    .withName(name)
    .withEnvironment(containerEnvironment(advertisedPort))
    .withBindMounts([{ source: name, target: DATA }])
    .withWaitStrategy(testcontainers.Wait.forLogMessage(/Kafka Server started/))
    .withLogConsumer((lines) => lines.pipe(openLog(logFile)))
    .start()
    .catch((error) => {
      const portTaken = /port is already allocated|address already in use/i.test(error.message);
      throw Object.assign(new Failure(`Kafka’s container did not start: ${error.message}`), { portTaken });
    });
  const child = childOf(container, client.container.getById(container.getId()), logFile);
  await onSpawn(child);
  const ended = () => child.end() !== null;
  const up = await eventually(() => coordinatorAnswers(port), { everyMs: 100, withinMs: 90_000, ended });
  if (up && !ended()) return { brokers: `127.0.0.1:${advertisedPort}`, port, child };
  await child.stop();
  throw new Failure(`Kafka did not start in its container; see ${logFile}`);
}

/** @throws {Problem} when the engine does not answer */
export async function removeKafkaVolume(engine, name) {
  if (engine === null) {
    throw new Problem(
      `no Docker engine answers, and the volume ${name} holds this state’s Kafka`,
      `Start the engine and run it again, or remove the volume yourself: docker volume rm ${name}`,
    );
  }
  const { dockerode } = engine.client.container;
  await dockerode.getContainer(name).remove({ force: true }).catch(ignoreMissing);
  await dockerode.getVolume(name).remove().catch(ignoreMissing);
}

/** Testcontainers publishes a port on every interface of the host; this one speaks plaintext to whoever connects. */
function loopbackContainer({ GenericContainer }, port) {
  class LoopbackContainer extends GenericContainer {
    async beforeContainerCreated() {
      this.hostConfig.PortBindings = {
        [`${CLIENTS_PORT}/tcp`]: [{ HostIp: '127.0.0.1', HostPort: String(port) }],
      };
    }
  }
  return new LoopbackContainer(IMAGES.kafka).withExposedPorts({ container: CLIENTS_PORT, host: port });
}

/** What startChild gives for a process. */
function childOf(started, container, logFile) {
  let end = null;
  const exited = container.wait().then(
    ({ StatusCode }) => (end = { code: StatusCode, signal: null }),
    () => (end = { code: null, signal: 'SIGKILL' }),
  );
  return {
    name: 'kafka',
    pid: null,
    logFile,
    logFrom: 0,
    exited,
    end: () => end,
    kill: (signal) => void container.kill({ signal }).catch(() => {}),
    async stop(graceMs = STOPS_WITHIN_MS) {
      await started.stop({ timeout: graceMs });
      return exited;
    },
  };
}

function openLog(file) {
  mkdirSync(dirname(file), { recursive: true });
  return createWriteStream(file, { flags: 'a', mode: 0o600 });
}

function ignoreMissing(error) {
  if (error.statusCode !== 404) throw error;
}
