import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { Problem } from '../servers/problem.mjs';
import { scramVerifier } from './scram.mjs';

export const DATABASE = 'mayfly';
export const ROLES = [
  'mayfly_broker',
  'mayfly_revoker',
  'mayfly_audit_owner',
  'mayfly_auditor',
  'mayfly_signer',
];
/** Of the bus, where it is in this database: its owner, and a login for each service and for agents and orchestrators. */
export const BUS_ROLES = [
  'mayfly_bus_owner',
  'mayfly_bus_broker',
  'mayfly_bus_revoker',
  'mayfly_bus_auditor',
  'mayfly_bus_client',
];
export const BUS_SCHEMA = 'bus';
const GUARD = join(import.meta.dirname, '..', '..', 'deploy', 'postgres', 'guard-the-log.sql');
const SCHEMAS = { broker: 'mayfly_broker', revoker: 'mayfly_revoker', audit: 'mayfly_audit_owner' };

/**
 * Prepares Mayfly's own database: one login role per service, a schema for each that no other role can enter, and CONNECT for
 * these roles only. The logins of auditor and signer may enter the schema `audit` but own nothing: what they may do there the
 * migrations of its owner say. Where `adminUrl` may install event triggers, they guard the log; else the auditor remarks that they are
 * missing. It can run again at any time; the passwords are then those given.
 * @param {string} adminUrl a superuser, or a role that may create roles and databases
 * @param {Record<string, string>} passwords by role
 * @param {{ withBus: boolean }} options with the roles and the schema of the bus; what they may do there `prepareBus` says
 * @returns {Promise<{ adminUrl: string, urlOf(role: string): string }>} `adminUrl` of the database `mayfly`
 * @throws {Problem} when the server cannot be reached or the role may not do this
 */
export async function prepareOwnDatabase(adminUrl, passwords, { withBus }) {
  const roles = withBus ? [...ROLES, ...BUS_ROLES] : ROLES;
  const schemas = withBus ? { ...SCHEMAS, [BUS_SCHEMA]: BUS_ROLES[0] } : SCHEMAS;
  await asAdmin(adminUrl, async (client) => {
    for (const role of roles) await ensureRole(client, role, passwords[role]);
    await ensureDatabase(client, roles);
  });
  const url = new URL(adminUrl);
  url.pathname = `/${DATABASE}`;
  await asAdmin(url.href, async (client) => {
    await ensureSchemas(client, schemas);
    await guardTheLog(client);
  });
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

async function ensureDatabase(client, roles) {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE} TEMPLATE template0 ENCODING 'UTF8'`);
  await client.query(`REVOKE ALL ON DATABASE ${DATABASE} FROM PUBLIC`);
  await client.query(`GRANT CONNECT ON DATABASE ${DATABASE} TO ${roles.join(', ')}`);
}

async function ensureSchemas(client, schemas) {
  await client.query('REVOKE ALL ON SCHEMA public FROM PUBLIC');
  for (const [schema, owner] of Object.entries(schemas)) {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${schema} AUTHORIZATION ${owner}`);
    await client.query(`REVOKE ALL ON SCHEMA ${schema} FROM PUBLIC`);
  }
  await client.query('GRANT USAGE ON SCHEMA audit TO mayfly_auditor, mayfly_signer');
}

/** A role that is no superuser may not, and the log is as good without: only mistakes of its owner are not stopped. */
async function guardTheLog(client) {
  await client.query('BEGIN');
  try {
    await client.query(readFileSync(GUARD, 'utf8'));
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    if (error.code !== '42501') throw error;
  }
}
