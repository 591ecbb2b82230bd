import { join } from 'node:path';
import { loadConfig } from '#config/load.js';
import type { MayflyConfig } from '#config/load.js';
import { loginUrl } from './logins.js';
import { packageRoot } from './package-root.js';
import type { Addresses } from './state-folder.js';

/** The login of agents and orchestrators, where the bus is in PostgreSQL. */
const BUS_LOGIN = 'mayfly_bus_client';

/**
 * The configuration that the services of a running Mayfly were started with: MAYFLY_CONFIG, else the sample's.
 * @throws ConfigError; CliError ERR_CLI_FILE
 */
export async function cliConfig(
  env: NodeJS.ProcessEnv,
  folder: string,
  addresses: Addresses,
): Promise<MayflyConfig<'cli'>> {
  return loadConfig(
    env.MAYFLY_CONFIG || join(packageRoot(), 'deploy', 'sample', 'mayfly.yaml'),
    { ...env, MAYFLY_STATE_DIR: folder, ...(await busVariables(env, folder, addresses)) },
    'cli',
  );
}

async function busVariables(
  env: NodeJS.ProcessEnv,
  folder: string,
  addresses: Addresses,
): Promise<NodeJS.ProcessEnv> {
  if (addresses.kafka !== null) return { KAFKA_BROKERS: addresses.kafka, MAYFLY_BUS_DATABASE_URL: '' };
  const kafka = Object.keys(env).filter((name) => name.startsWith('KAFKA_'));
  return {
    ...Object.fromEntries(kafka.map((name) => [name, ''])),
    MAYFLY_BUS_DATABASE_URL: await loginUrl(folder, addresses, 'postgres', BUS_LOGIN),
  };
}
