import pg from 'pg';
import { Problem } from '../servers/problem.mjs';
import { scramVerifier } from './scram.mjs';

export const DATABASE = 'mayfly';
export const ROLES = ['mayfly_broker', 'mayfly_revoker', 'mayfly_audit_owner', 'mayfly_auditor'];
const SCHEMAS = { broker: 'mayfly_broker', revoker: 'mayfly_revoker', audit: 'mayfly_audit_owner' };

/**
 * Prepares Mayfly's own database: one login role per service, a schema for each that no other role can enter, and CONNECT for
 * these roles only. The auditor's login may enter the schema `audit` but owns nothing: what it may do there the migrations of
 * its owner say. It can run again at any time; the passwords are then those given.
 * @param {string} adminUrl a superuser, or a role that may create roles and databases
 * @param {Record<string, string>} passwords by role
 * @returns {Promise<{ adminUrl: string, urlOf(role: string): string }>} `adminUrl` of the database `mayfly`
 * @throws {Problem} when the server cannot be reached or the role may not do this
 */
export async function prepareOwnDatabase(adminUrl, passwords) {
  await asAdmin(adminUrl, async (client) => {
    for (const role of ROLES) await ensureRole(client, role, passwords[role]);
    await ensureDatabase(client);
  });
  const url = new URL(adminUrl);
  url.pathname = `/${DATABASE}`;
  await asAdmin(url.href, ensureSchemas);
  return {
    adminUrl: url.href,
    urlOf(role) {
      const own = new URL(url);
      own.username = role;
      own.password = encodeURIComponent(passwords[role]);
      return own.href;
    },
  };
}

async function asAdmin(url, work) {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 10_000,
    application_name: 'mayfly-start',
  });
  client.on('error', () => {}); // the pending query rejects with it
  try {
    await client.connect();
    // Two starts on one server take turns. Held by the session, since CREATE DATABASE runs in no transaction.
    await client.query("SELECT pg_advisory_lock(hashtextextended('mayfly.start', 0))");
    await work(client);
  } catch (cause) {
    const { host } = new URL(url);
    throw new Problem(
      `Mayfly's own database at ${host} could not be prepared: ${cause.message || cause.code}`,
      'DATABASE_URL must name a running PostgreSQL and a role that may create roles and databases there',
      { cause },
    );
  } finally {
    await client.end().catch(() => {});
  }
}

async function ensureRole(client, role, password) {
  const { rowCount } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  if (rowCount === 0) {
    // So that an administrator who is no superuser may give schemas to it (PostgreSQL 16 and later).
    await client.query("SET createrole_self_grant = 'set, inherit'");
    await client.query(`CREATE ROLE ${role}`);
  }
  const verifier = client.escapeLiteral(scramVerifier(password));
  await client.query(`ALTER ROLE ${role} LOGIN NOCREATEDB NOCREATEROLE PASSWORD ${verifier}`);
}

async function ensureDatabase(client) {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE} TEMPLATE template0 ENCODING 'UTF8'`);
  await client.query(`REVOKE ALL ON DATABASE ${DATABASE} FROM PUBLIC`);
  await client.query(`GRANT CONNECT ON DATABASE ${DATABASE} TO ${ROLES.join(', ')}`);
}

async function ensureSchemas(client) {
  await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  for (const [schema, owner] of Object.entries(SCHEMAS)) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${owner}`);
    await client.query(`REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC`);
  }
  await client.query('GRANT USAGE ON SCHEMA audit TO mayfly_auditor');
}
