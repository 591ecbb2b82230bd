/**
 * Connections to one target. Each kind of work has its own small pool, so that nothing on the kill path waits behind
 * creating or cleaning. One connection of each kind that somebody waits for stands ready, so that the first cut after a quiet
 * hour does not begin with a login.
 */
import pg from 'pg';
import type { Log } from '#telemetry/log.js';
import { LoginPool } from './login-pool.js';
import type { PostgresSettings } from './settings.js';
import { TargetLogin } from './target-login.js';

export interface Pools {
  /** Creates. */
  create: pg.Pool;
  /** Fences, terminating, looking. */
  cut: pg.Pool;
  /** Ends whoever blocks a fence; must be free while every connection of `cut` waits. */
  guard: pg.Pool;
  /** Looks and drops that nobody waits for. */
  tidy: pg.Pool;
  /** What reads catalogs page by page, and is planned for what it asks. */
  survey: pg.Pool;
}

const SIZES: Record<keyof Pools, number> = { create: 4, cut: 4, guard: 3, tidy: 3, survey: 2 };
/** Connections that are never closed for being idle. */
const READY: Record<keyof Pools, number> = { create: 1, cut: 1, guard: 0, tidy: 0, survey: 0 };
/** Where the same few statements are asked all the time: the server plans each once a connection. */
const PLANNED_ONCE = '-c plan_cache_mode=force_generic_plan';
const OPTIONS: Record<keyof Pools, string> = {
  create: '',
  cut: PLANNED_ONCE,
  guard: '',
  tidy: PLANNED_ONCE,
  survey: '',
};
const CONNECT_TIMEOUT_MS = 2_000;
const IDLE_TIMEOUT_MS = 600_000;
/** What passes on packets in between forgets a connection on which there were none for a few minutes, and says so to nobody. */
const KEEP_ALIVE_AFTER_MS = 30_000;
/** The driver gives up on an answer, for a network that swallows packets; the server's own limits are shorter. */
export const READ_TIMEOUT_MS = 5_000;

export function openPools(settings: PostgresSettings, log: Log): Pools {
  const login = new TargetLogin(settings.login);
  const open = (use: keyof Pools): pg.Pool => {
    const pool = new LoginPool(poolConfig(settings, use), login);
    // Without a listener of its own, a connection that dies while it is checked out would end the process.
    pool.on('connect', (client) =>
      client.on('error', (error: Error) => log.debug({ err: error, use }, 'connection to target lost')),
    );
    pool.on('error', () => undefined);
    return pool;
  };
  return {
    create: open('create'),
    cut: open('cut'),
    guard: open('guard'),
    tidy: open('tidy'),
    survey: open('survey'),
  };
}

/** Opens what is to stand ready. A target that is away now is connected to when it is needed. */
export function warmPools(pools: Pools, log: Log): void {
  for (const use of ['create', 'cut'] as const)
    pools[use].connect().then(
      (client) => client.release(),
      (error: unknown) => log.warn({ err: error, use }, 'target cannot be reached yet'),
    );
}

export async function closePools(pools: Pools): Promise<void> {
  await Promise.all(Object.values(pools).map((pool: pg.Pool) => pool.end()));
}

/** All but the password. Every member is set: the driver fills what is missing from `PG*` variables of the environment. */
export function clientConfig({ connection, login }: PostgresSettings): pg.ClientConfig & { options: string } {
  const { host, port, database, tls } = connection;
  return {
    host,
    port,
    database,
    user: login.user,
    ssl: tls.mode === 'disable' ? false : { rejectUnauthorized: true, ...(tls.ca && { ca: tls.ca }) },
    // No function or operator that a user of the target defined is ever picked by name.
    options: '-c search_path=pg_catalog -c idle_in_transaction_session_timeout=2000',
  };
}

function poolConfig(settings: PostgresSettings, use: keyof Pools): pg.PoolConfig {
  const config = clientConfig(settings);
  return {
    ...config,
    options: `${config.options} ${OPTIONS[use]}`.trimEnd(),
    application_name: `mayfly ${use}`,
    min: READY[use],
    max: SIZES[use],
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    query_timeout: READ_TIMEOUT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_AFTER_MS,
    allowExitOnIdle: true,
    pipeline: true,
  };
}

/**
 * Sends one message that ends in COMMIT, and gives the connection back clean: rolled back after the server's refusal, thrown away after
 * anything else.
 */
export async function send(client: pg.PoolClient, message: string): Promise<pg.QueryResult[]> {
  return (await sendBoth(client, message, () => Promise.resolve())).results;
}

/** As {@link send}, with what is asked right behind it, without a wait in between: the server comes to that after the COMMIT. */
export async function sendBoth<T>(
  client: pg.PoolClient,
  message: string,
  ask: (client: pg.PoolClient) => Promise<T>,
): Promise<{ results: pg.QueryResult[]; answer: T }> {
  try {
    const sent = client.query(message);
    const asked = ask(client);
    // Where the message fails its reason is the one to be told.
    asked.catch(() => undefined);
    // A message of several statements is answered by several results, which the driver's types do not say.
    const results = (await sent) as unknown as pg.QueryResult[];
    // A transaction that was undone answers COMMIT with ROLLBACK.
    if (results.at(-1)?.command !== 'COMMIT') throw new Error('transaction was not committed');
    const answer = await asked;
    client.release();
    return { results, answer };
  } catch (error) {
    await giveBack(client, error);
    throw error;
  }
}

/** After a refusal the connection is still in the failed transaction. After anything else it is not worth keeping. */
async function giveBack(client: pg.PoolClient, error: unknown): Promise<void> {
  if (!isServerRefusal(error)) return client.release(true);
  try {
    await client.query('ROLLBACK');
    client.release();
  } catch {
    client.release(true);
  }
}

/** Classes and codes after which the server may have committed, or has closed the connection. */
const UNSURE = /^(08|57|58|F0|XX)|^(25P03|25P04|40003)$/;

/**
 * The server said no and undid what the message had done. Judged by SQLSTATE (PostgreSQL appendix A): the severity that
 * the driver shows is translated by the server's `lc_messages`.
 */
export const isServerRefusal = (error: unknown): error is pg.DatabaseError =>
  error instanceof pg.DatabaseError && error.code !== undefined && !UNSURE.test(error.code);
