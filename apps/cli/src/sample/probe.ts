/**
 * A session at the target with a lent credential, and the wait for its end: the same query, asked again and again, in the
 * session that is open and in new ones, until the server refuses both.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { OpenedPostgres } from '#agent/open-envelope.js';
import { CliError } from '../failure.js';

const CONNECT_WITHIN_MS = 5_000;
const BETWEEN_LOGINS_MS = 5;
/** SQLSTATE 57P01: an administrator ended the session. Class 28: the login is not allowed, or is there no more. */
const SESSION_ENDED = '57P01';
const LOGIN_REFUSED = '28';
const CONNECTION_LOST = 'connection lost';
const TOO_MANY_CONNECTIONS = '53300';

export interface Refusals {
  /** ms from `sinceMs` to the refusal, and the SQLSTATE of it. */
  session: { afterMs: number; code: string };
  login: { afterMs: number; code: string };
}

export async function openSession({ connection }: OpenedPostgres): Promise<pg.Client> {
  const { host, port, database, user, password, tls } = connection;
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    password: password.reveal(),
    ssl:
      tls.mode === 'disable'
        ? false
        : { rejectUnauthorized: true, ...(tls.ca === undefined ? {} : { ca: tls.ca }) },
    application_name: 'mayfly-sample',
    connectionTimeoutMillis: CONNECT_WITHIN_MS,
  });
  // The end of a session between two queries comes as an event; the next query then fails.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/**
 * @param sinceMs `performance.now()` when the end of the task was acknowledged
 * @throws CliError ERR_CLI_ANSWER when one of them is not refused in time, or fails for another reason than being cut
 */
export async function untilRefused(
  open: pg.Client,
  credential: OpenedPostgres,
  query: string,
  sinceMs: number,
  withinMs: number,
): Promise<Refusals> {
  const until = sinceMs + withinMs;
  let ended: string | undefined;
  open.on('error', (error) => {
    ended = sqlState(error) ?? ended;
  });
  const [session, login] = await Promise.all([
    firstFailure(() => open.query(query), sinceMs, until, 0),
    firstFailure(() => tryLogin(credential, query), sinceMs, until, BETWEEN_LOGINS_MS),
  ]);
  // The server says why it ends a session, but its last word may be lost with the connection.
  const sessionCode = sqlState(session.error) ?? ended ?? CONNECTION_LOST;
  const loginCode = sqlState(login.error) ?? '';
  if (sessionCode !== SESSION_ENDED && sessionCode !== CONNECTION_LOST)
    throw new CliError('ERR_CLI_ANSWER', `the open session failed, and was not ended: ${sessionCode}`, {
      cause: session.error,
    });
  if (!loginCode.startsWith(LOGIN_REFUSED))
    throw new CliError('ERR_CLI_ANSWER', `a new login failed, and was not refused: ${loginCode}`, {
      cause: login.error,
    });
  return {
    session: { afterMs: session.afterMs, code: sessionCode },
    login: { afterMs: login.afterMs, code: loginCode },
  };
}

/** What says nothing about the login: it was cut off by the end of sessions, in the middle of itself, or the last one has not quite gone. */
const INCONCLUSIVE: readonly (string | undefined)[] = [SESSION_ENDED, TOO_MANY_CONNECTIONS, undefined];

async function tryLogin(credential: OpenedPostgres, query: string): Promise<void> {
  let client: pg.Client | undefined;
  try {
    client = await openSession(credential);
    await client.query(query);
  } catch (error) {
    if (!INCONCLUSIVE.includes(sqlState(error))) throw error;
  } finally {
    await client?.end().catch(() => undefined);
  }
}

async function firstFailure(
  attempt: () => Promise<unknown>,
  sinceMs: number,
  untilMs: number,
  betweenMs: number,
): Promise<{ afterMs: number; error: unknown }> {
  while (performance.now() < untilMs) {
    try {
      await attempt();
    } catch (error) {
      return { afterMs: Math.round(performance.now() - sinceMs), error };
    }
    await sleep(betweenMs);
  }
  throw new CliError(
    'ERR_CLI_TIMEOUT',
    `the credential still works ${Math.round(untilMs - sinceMs)} ms after the end of its task`,
  );
}

function sqlState(error: unknown): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^(?=.*[0-9])[0-9A-Z]{5}$/.test(code) ? code : undefined;
}
