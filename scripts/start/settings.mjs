import { portChoice } from '../servers/ports.mjs';
import { Problem } from '../servers/problem.mjs';

/** Parts that listen: the variable that sets the port, and the default. */
const PORTS = {
  kafka: ['MAYFLY_KAFKA_PORT', 7092],
  postgres: ['MAYFLY_POSTGRES_PORT', 7432],
  target: ['MAYFLY_TARGET_PORT', 7433],
  broker: ['MAYFLY_BROKER_PORT', 7070],
  revoker: ['MAYFLY_REVOKER_PORT', 7071],
  auditor: ['MAYFLY_AUDITOR_PORT', 7072],
  signer: ['MAYFLY_SIGNER_PORT', 7074],
};

/**
 * @param {NodeJS.ProcessEnv} env
 * @returns {Record<keyof typeof PORTS, ReturnType<typeof portChoice>>}
 * @throws {Problem} when one is not a port
 */
export function portsFrom(env) {
  return byPart(([variable, fallback]) => portChoice(variable, env[variable], fallback));
}

/** Any free ports, for stacks that run beside others. */
export function anyPorts() {
  return byPart(([variable]) => ({ variable, wanted: 0, explicit: false }));
}

function byPart(choose) {
  return Object.fromEntries(Object.entries(PORTS).map(([part, definition]) => [part, choose(definition)]));
}

/**
 * What `npm start` reads from the environment.
 * @param {NodeJS.ProcessEnv} env
 * @throws {Problem} for what it cannot do
 */
export function startSettings(env) {
  const environment = env.MAYFLY_ENV || 'development';
  if (environment !== 'development') {
    throw new Problem(
      `MAYFLY_ENV is \`${environment}\`, and npm start is a development set-up (embedded servers, a development trust domain)`,
      'Unset MAYFLY_ENV, or start the services themselves: node dist/apps/<service>/src/main.js --config <file>',
    );
  }
  forcedBus(env);
  return { ports: portsFrom(env), withSample: env.MAYFLY_SAMPLE !== '0' };
}

/** @returns {'kafka' | 'postgres' | null} what MAYFLY_BUS forces; null: nothing */
export function forcedBus({ MAYFLY_BUS: bus }) {
  if (!bus) return null;
  if (bus === 'kafka' || bus === 'postgres') return bus;
  throw new Problem(
    `MAYFLY_BUS is \`${bus}\`, which is no bus`,
    'Set it to `kafka` or `postgres`, or unset it',
  );
}
