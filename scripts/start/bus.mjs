import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findJava, requireMaven } from '../servers/kafka-jars.mjs';
import { accepts } from '../servers/ports.mjs';
import { Problem } from '../servers/problem.mjs';
import { forcedBus } from './settings.mjs';

const KEPT = 'bus';

/**
 * Which bus: what MAYFLY_BUS says; Kafka where KAFKA_BROKERS names one; what the state folder has begun with; else Kafka where
 * it can be had, and PostgreSQL where it cannot. Told before anything is started.
 * @param {Pick<import('./stack.mjs').StackContext, 'stateDir' | 'cacheDir' | 'env' | 'say'>} context
 * @returns {Promise<'kafka' | 'postgres'>}
 * @throws {Problem} when the Kafka that is wanted cannot be had, or the state folder's positions are of another bus
 */
export async function chooseBus({ stateDir, cacheDir, env, say }) {
  const wanted = forcedBus(env) ?? (env.KAFKA_BROKERS ? 'kafka' : null);
  const kept = keptBus(stateDir);
  if (wanted !== null && kept !== null && wanted !== kept) {
    throw new Problem(
      `the state in ${stateDir} is of a bus on ${NAMES[kept]}, and its positions mean nothing on ${NAMES[wanted]}`,
      `Set MAYFLY_BUS to \`${kept}\` and unset the other's variables, or name another MAYFLY_STATE_DIR, or \`npm run reset\``,
    );
  }
  const bus = await available(wanted ?? kept, env, join(cacheDir, 'jars'));
  if (bus === 'postgres') for (const line of LOUDLY) say('bus', line);
  writeFileSync(join(stateDir, KEPT), `${bus}\n`);
  return bus;
}

const NAMES = { kafka: 'Kafka', postgres: 'PostgreSQL' };
const LOUDLY = [
  'in PostgreSQL: Kafka clients CANNOT connect, and it is for one machine only',
  'for a Kafka: install Java 17 and Maven, or set KAFKA_BROKERS, and start on a new state (npm run reset)',
];

async function available(wanted, env, jarsDir) {
  if (wanted === 'postgres') return 'postgres';
  try {
    if (env.KAFKA_BROKERS) await requireReachable(env.KAFKA_BROKERS);
    else {
      await findJava(env);
      await requireMaven({ jarsDir, env });
    }
    return 'kafka';
  } catch (error) {
    if (wanted === null && error instanceof Problem) return 'postgres';
    throw error;
  }
}

function keptBus(stateDir) {
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
