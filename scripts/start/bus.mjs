import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findEngine } from '../servers/docker.mjs';
import { findJava, requireMaven } from '../servers/kafka-jars.mjs';
import { accepts } from '../servers/ports.mjs';
import { Problem } from '../servers/problem.mjs';
import { forcedBus } from './settings.mjs';

const KEPT = 'bus';

/**
 * @typedef {'kafka' | 'kafka-container' | 'postgres'} ChosenBus `kafka`: that of KAFKA_BROKERS, or on the local Java;
 *   `kafka-container`: in Docker
 */

/**
 * Which bus: what MAYFLY_BUS says; Kafka where KAFKA_BROKERS names one; what the state folder has begun with; else Kafka where
 * it can be had, on the local Java or else in Docker, and PostgreSQL where it cannot. Told before anything is started.
 * @param {Pick<import('./stack.mjs').StackContext, 'stateDir' | 'cacheDir' | 'env' | 'say'>} context
 * @param {(env: NodeJS.ProcessEnv) => Promise<object | null>} [engine] looks for a Docker engine
 * @returns {Promise<ChosenBus>}
 * @throws {Problem} when the Kafka that is wanted cannot be had, or the state folder's positions are of another bus
 */
export async function chooseBus({ stateDir, cacheDir, env, say }, engine = findEngine) {
  const wanted = forcedBus(env) ?? (env.KAFKA_BROKERS ? 'kafka' : null);
  const kept = keptBus(stateDir);
  if (kept !== null && !goesOn(kept, wanted, env)) {
    const other = env.KAFKA_BROKERS && wanted === 'kafka' ? 'the Kafka of KAFKA_BROKERS' : NAMES[wanted];
    throw new Problem(
      `the state in ${stateDir} is of a bus on ${NAMES[kept]}, and its positions mean nothing on ${other}`,
      `Set MAYFLY_BUS to \`${kept === 'postgres' ? kept : 'kafka'}\` and unset the other's variables, or name another MAYFLY_STATE_DIR, or \`npm run reset\``,
    );
  }
  const bus = await available({ wanted, kept, env, engine, jarsDir: join(cacheDir, 'jars') });
  if (bus === 'postgres') for (const line of LOUDLY) say('bus', line);
  writeFileSync(join(stateDir, KEPT), `${bus}\n`);
  return bus;
}

const NAMES = { kafka: 'Kafka', 'kafka-container': 'a Kafka in Docker', postgres: 'PostgreSQL' };
const LOUDLY = [
  'in PostgreSQL: Kafka clients CANNOT connect, and it is for one machine only',
  'for a Kafka: install Java 17 and Maven, or start Docker, or set KAFKA_BROKERS, and start on a new state (npm run reset)',
];

function goesOn(kept, wanted, env) {
  if (wanted === null) return true;
  if (kept === 'kafka-container') return wanted === 'kafka' && !env.KAFKA_BROKERS;
  return wanted === kept;
}

async function available({ wanted, kept, env, engine, jarsDir }) {
  if ((wanted ?? kept) === 'postgres') return 'postgres';
  if (env.KAFKA_BROKERS) {
    await requireReachable(env.KAFKA_BROKERS);
    return 'kafka';
  }
  if (kept === 'kafka-container') {
    if ((await engine(env)) !== null) return kept;
    throw new Problem(
      'the state is of a Kafka in Docker, and no Docker engine answers',
      'Start Docker, or name another MAYFLY_STATE_DIR',
    );
  }
  try {
    await findJava(env);
    await requireMaven({ jarsDir, env });
    return 'kafka';
  } catch (error) {
    if (!(error instanceof Problem) || kept === 'kafka') throw error;
    if ((await engine(env)) !== null) return 'kafka-container';
    if (wanted === null) return 'postgres';
    throw error;
  }
}

/** @returns {ChosenBus | null} what the state folder has begun with */
export function keptBus(stateDir) {
  const file = join(stateDir, KEPT);
  if (existsSync(file)) {
    const kept = readFileSync(file, 'utf8').trim();
    return Object.hasOwn(NAMES, kept) ? kept : null;
  }
  // A state folder of before there was a choice.
  return existsSync(join(stateDir, 'kafka')) ? 'kafka' : null;
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
