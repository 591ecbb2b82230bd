/** The database of one service, where its parked records are: only its own login reads them. */
import { loadConfig } from '#config/load.js';
import type { ServiceName } from '#events/services.js';
import { openDatabase, transact, type Database, type DatabaseSettings, type Tx } from '#store/database.js';
import { CliError } from '../failure.js';
import { loginUrl } from '../logins.js';
import { readAddresses, stateFolder } from '../state-folder.js';

export interface WhereOptions {
  /** The configuration that the service was started with; its variables must be set. Without it what `npm start` runs. */
  config?: string;
}

/** As `npm start` makes them. */
export const MADE_BY_START: Record<ServiceName, { login: string; schema: string }> = {
  broker: { login: 'mayfly_broker', schema: 'broker' },
  revoker: { login: 'mayfly_revoker', schema: 'revoker' },
  auditor: { login: 'mayfly_auditor', schema: 'audit' },
};

/** @throws CliError; ConfigError */
export async function inLettersOf<T>(
  service: ServiceName,
  where: WhereOptions,
  env: NodeJS.ProcessEnv,
  work: (tx: Tx) => Promise<T>,
): Promise<T> {
  return await withDatabaseOf(service, where, env, (db) => transact(db, work));
}

/** @throws CliError; ConfigError */
export async function withDatabaseOf<T>(
  service: ServiceName,
  { config }: WhereOptions,
  env: NodeJS.ProcessEnv,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  const settings = config === undefined ? await started(service, env) : configured(service, config, env);
  const db = openDatabase({ ...settings, application: 'mayfly-cli', maxConnections: 2 });
  try {
    return await work(db);
  } catch (error) {
    throw explained(service, error);
  } finally {
    await db.close();
  }
}

type Where = Pick<DatabaseSettings, 'url' | 'schema'>;

async function started(service: ServiceName, env: NodeJS.ProcessEnv): Promise<Where> {
  const folder = stateFolder(env);
  const { login, schema } = MADE_BY_START[service];
  return { url: await loginUrl(folder, await readAddresses(folder), 'postgres', login), schema };
}

function configured(service: ServiceName, file: string, env: NodeJS.ProcessEnv): Where {
  const { services } = loadConfig(file, env, service);
  const { url, schema } = services[service].database;
  return { url, schema };
}

/** Messages of the driver are left out: they may quote the URL with its password. */
function explained(service: ServiceName, error: unknown): unknown {
  if (error instanceof CliError) return error;
  const { code } = error as { code?: unknown };
  if (code === '42P01')
    return new CliError(
      'ERR_CLI_ANSWER',
      `the ${service}'s database is of an older Mayfly: start the ${service} once`,
    );
  if (code === '55P03')
    return new CliError('ERR_CLI_TIMEOUT', `the ${service} is at work on this record: try again in a moment`);
  return new CliError(
    'ERR_CLI_UNREACHABLE',
    `the ${service}'s database does not answer${typeof code === 'string' ? ` (${code})` : ''}: mayfly doctor`,
  );
}
