/** Database logins of Mayfly's services, as `npm start` keeps them in the state folder: for checks, and for the bus where it is in that database. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { z } from 'zod';
import { CliError } from './failure.js';
import type { Addresses } from './state-folder.js';

const passwords = z.record(z.string(), z.string());
const CONNECT_WITHIN_MS = 5_000;
const QUERY_WITHIN_MS = 10_000;

/** Runs `work` as a login of Mayfly's own database or of the target. @throws CliError ERR_CLI_FILE; the server's errors */
export async function asLogin<T>(
  folder: string,
  addresses: Addresses,
  server: 'postgres' | 'target',
  user: string,
  work: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const { host, port, database } = addresses[server];
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password: await passwordOf(folder, server, user),
    application_name: 'mayfly-cli',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
    query_timeout: QUERY_WITHIN_MS,
  });
  // A server that goes away fails the query in hand as well.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Where a login connects to, with its password: MUST NOT be shown. @throws CliError ERR_CLI_FILE */
export async function loginUrl(
  folder: string,
  addresses: Addresses,
  server: 'postgres' | 'target',
  user: string,
): Promise<string> {
  const { host, port, database } = addresses[server];
  const url = new URL(`postgres://${host.includes(':') ? `[${host}]` : host}:${port}/${database}`);
  url.username = user;
  url.password = encodeURIComponent(await passwordOf(folder, server, user));
  return url.href;
}

/** MUST NOT be shown. @throws CliError ERR_CLI_FILE */
export async function passwordOf(
  folder: string,
  server: 'postgres' | 'target',
  user: string,
): Promise<string> {
  const file = join(folder, 'secrets', `${server === 'postgres' ? 'database' : 'target'}.json`);
  let known: Record<string, string>;
  try {
    known = passwords.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch {
    // No cause: a parser quotes what it stumbles on, and these are passwords.
    throw new CliError('ERR_CLI_FILE', `\`${file}\` cannot be read: npm start makes it`);
  }
  const password = known[user];
  if (password === undefined) throw new CliError('ERR_CLI_FILE', `\`${file}\` has no login ${user}`);
  return password;
}
