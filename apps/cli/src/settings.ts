import { join } from 'node:path';
import { loadConfig } from '#config/load.js';
import type { MayflyConfig } from '#config/load.js';
import { packageRoot } from './package-root.js';
import type { Addresses } from './state-folder.js';

/** The configuration that the services of a running Mayfly were started with: MAYFLY_CONFIG, else the sample's. @throws ConfigError */
export function cliConfig(env: NodeJS.ProcessEnv, folder: string, addresses: Addresses): MayflyConfig<'cli'> {
  return loadConfig(
    env.MAYFLY_CONFIG || join(packageRoot(), 'deploy', 'sample', 'mayfly.yaml'),
    { ...env, MAYFLY_STATE_DIR: folder, KAFKA_BROKERS: addresses.kafka ?? '' },
    'cli',
  );
}
