import { KAFKA_VERSION } from './kafka-jars.mjs';

/** Every image that is ever pulled, by tag. */
export const IMAGES = { kafka: `apache/kafka:${KAFKA_VERSION}` };

const ANSWERS_WITHIN_MS = 5_000;
const LOOPBACK = new Set(['localhost', '127.0.0.1']);

/**
 * The Docker engine of this machine, or what answers like it (Podman, Colima), as testcontainers finds it: by DOCKER_HOST, its
 * own properties file, or a socket in the usual places. One on another machine is none: what it runs could not be reached on
 * loopback. `MAYFLY_DOCKER=0` looks for none. Testcontainers is loaded here and nowhere else, and only when somebody asks.
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ testcontainers: object, client: object } | null>} the library, and its client of the engine
 */
export async function findEngine(env) {
  if (env.MAYFLY_DOCKER === '0') return null;
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ANSWERS_WITHIN_MS, null);
  });
  const engine = await Promise.race([ask(), late]);
  clearTimeout(timer);
  return engine;
}

async function ask() {
  try {
    const testcontainers = await import('testcontainers');
    const client = await testcontainers.getContainerRuntimeClient();
    return LOOPBACK.has(client.info.containerRuntime.host) ? { testcontainers, client } : null;
  } catch {
    return null; // not installed, or nothing answers
  }
}
