/** A fresh database with the log's schema, its owner, the auditor's own role and the signer's: as `npm start` makes them. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { openDatabase, type Database } from '#store/database.js';
import { migrateLog } from '../src/log/schema.js';

const GUARD = join(import.meta.dirname, '..', '..', '..', 'deploy', 'postgres', 'guard-the-log.sql');
/** What a superuser runs so that event triggers guard the log. */
export const guardSql = (): string => readFileSync(GUARD, 'utf8');

export interface LogDatabase {
  /** Owns the schema. */
  owner: Database;
  /** The auditor's own role. */
  runtime: Database;
  runtimeRole: string;
  /** The signer's role. */
  signer: Database;
  signerRole: string;
  /** A connection as superuser. */
  admin: pg.Client;
  /** Of the database, for a role. */
  urlOf: (role: string, password: string) => string;
  drop: () => Promise<void>;
}

export interface LogDatabaseOptions {
  /** Of a superuser; that of the tests' server unless told. */
  adminUrl?: string | undefined;
  /** Are there event triggers? */
  isGuarded?: boolean;
  /** Makes the tables; all of today's unless told. */
  migrate?: (owner: Database, runtimeRole: string, signerRole: string) => Promise<void>;
}

export async function freshLogDatabase({
  adminUrl = process.env.DATABASE_URL,
  isGuarded = false,
  migrate = migrateLog,
}: LogDatabaseOptions = {}): Promise<LogDatabase> {
  if (adminUrl === undefined) throw new Error('DATABASE_URL is not set');
  const name = `audit_${randomBytes(6).toString('hex')}`;
  const [ownerRole, runtimeRole, signerRole] = [`${name}_owner`, `${name}_auditor`, `${name}_signer`];
  const roles = [ownerRole, runtimeRole, signerRole];
  const password = randomBytes(12).toString('hex');
  const server = new pg.Client({ connectionString: adminUrl });
  await server.connect();
  await server.query(`CREATE DATABASE ${name}`);
  for (const role of roles) await server.query(`CREATE ROLE ${role} LOGIN PASSWORD '${password}'`);

  const urlOf = (user: string, itsPassword: string): string => {
    const url = new URL(adminUrl);
    url.pathname = `/${name}`;
    [url.username, url.password] = [user, itsPassword];
    return url.href;
  };
  const admin = new pg.Client({
    connectionString: Object.assign(new URL(adminUrl), { pathname: `/${name}` }).href,
  });
  await admin.connect();
  await admin.query(`CREATE SCHEMA audit AUTHORIZATION ${ownerRole}`);
  await admin.query('SET search_path = audit');
  if (isGuarded) await admin.query(guardSql());
  const open = (role: string) =>
    openDatabase({ url: urlOf(role, password), schema: 'audit', application: role });
  const [owner, runtime, signer] = [open(ownerRole), open(runtimeRole), open(signerRole)];
  await migrate(owner, runtimeRole, signerRole);

  return {
    owner,
    runtime,
    runtimeRole,
    signer,
    signerRole,
    admin,
    urlOf,
    drop: async () => {
      await Promise.all([owner.close(), runtime.close(), signer.close(), admin.end()]);
      await server.query(`DROP DATABASE ${name} WITH (FORCE)`);
      for (const role of roles) await server.query(`DROP ROLE ${role}`);
      await server.end();
    },
  };
}
