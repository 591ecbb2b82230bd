/** One look at a PostgreSQL target by the login of one of our services: can it do what it is there for, and no more? */
import pg from 'pg';
import type { TargetFinding, TargetUser } from '../target-finding.js';
import { connectFinding } from './connect-finding.js';
import { issuersOf } from './issuer.js';
import { loginClient } from './login-client.js';
import { nameFindings } from './name-findings.js';
import { clientConfig } from './pools.js';
import { policyRoleFindings, rightFindings } from './right-findings.js';
import type { PostgresSettings } from './settings.js';
import { TargetLogin } from './target-login.js';

/** The oldest server that keeps a principal from becoming its policy role (`SET FALSE`). */
const OLDEST = { number: 160_000, name: '16' };
const WITHIN_MS = 5_000;

/** Never rejects. @param policyRoles that datasets name */
export async function inspectPostgres(
  settings: PostgresSettings,
  user: TargetUser,
  policyRoles: readonly string[],
): Promise<TargetFinding[]> {
  const login = new TargetLogin(settings.login);
  let client: pg.Client;
  try {
    client = await login.enter(() => connected(settings, login));
  } catch (error) {
    return [connectFinding(error, settings)];
  }
  try {
    return await findings(client, settings, user, policyRoles);
  } catch (error) {
    return [notInspected(error)];
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function connected(settings: PostgresSettings, login: TargetLogin): Promise<pg.Client> {
  const client = new (loginClient(login))({
    ...clientConfig(settings),
    application_name: 'mayfly inspect',
    connectionTimeoutMillis: WITHIN_MS,
    query_timeout: WITHIN_MS,
  });
  // A server that goes away fails the query in hand as well.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

async function findings(
  client: pg.Client,
  { issuerShards, namespace }: PostgresSettings,
  user: TargetUser,
  policyRoles: readonly string[],
): Promise<TargetFinding[]> {
  const version = await versionFinding(client);
  // Older servers do not know what is asked next.
  if (version !== null) return [version];
  const issuers = issuersOf(issuerShards);
  return [
    ...(await rightFindings(client, user, issuers)),
    ...(user === 'broker' ? await policyRoleFindings(client, issuers, policyRoles) : []),
    ...(await nameFindings(client, namespace)),
  ];
}

async function versionFinding(client: pg.Client): Promise<TargetFinding | null> {
  const { rows } = await client.query<{ number: number; name: string }>(
    `SELECT current_setting('server_version_num')::int AS number, split_part(current_setting('server_version'), ' ', 1) AS name`,
  );
  const { number = 0, name = 'unknown' } = rows[0] ?? {};
  if (number >= OLDEST.number) return null;
  return {
    code: 'ERR_TARGET_VERSION',
    what: `PostgreSQL ${name}`,
    how: `upgrade the server to PostgreSQL ${OLDEST.name} or later`,
  };
}

function notInspected(error: unknown): TargetFinding {
  const state = error instanceof pg.DatabaseError ? ` (SQLSTATE ${error.code ?? 'unknown'})` : '';
  return {
    code: 'ERR_TARGET_NOT_INSPECTED',
    what: `the server did not answer what was asked of it${state}`,
    how: 'it is asked again; see the log of the server where it goes on',
  };
}
