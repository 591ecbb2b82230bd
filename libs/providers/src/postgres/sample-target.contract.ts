/**
 * The sample's target for integration specs: a database of this spec's own on the cluster of TARGET_URL, made by the
 * files that a user runs (deploy/sample/target), and adapters with logins of their own, because roles belong to the whole
 * cluster and other specs set the passwords of the shared logins.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { v7 } from 'uuid';
import type { z } from 'zod';
import { createLog } from '#telemetry/log.js';
import type { CreateAnswer, CredentialProvider, Plan, PostgresCredential } from '../provider.js';
import type { AgentSession, ProviderHarness, WiredTarget } from '../conformance/harness.contract.js';
import { postgresSettings, type PostgresSettings } from './settings.js';
import { issuersOf, MOST_ISSUERS } from './issuer.js';
import { principalOf } from '../principal-name.js';
import { openPostgres } from './postgres-provider.js';

const DATABASE = 'shop_providers';
const FILES = join(import.meta.dirname, '../../../../deploy/sample/target');

export interface SampleTarget extends ProviderHarness<PostgresCredential> {
  brokerSettings: PostgresSettings;
  revokerSettings: PostgresSettings;
  /** Everything the adapters have logged. */
  logged: string[];
  /** The policy role of `plan()`: as `pol_crm_orders_read`, but this spec's alone. */
  policyRole: string;
  superuser(): Promise<pg.Client>;
  session(credential: PostgresCredential): Promise<pg.Client>;
  created(plan: Plan): Promise<PostgresCredential>;
  wire: WiredTarget;
  holdCreate(plan: Plan): Promise<{ answer: Promise<CreateAnswer>; release: () => Promise<void> }>;
  /** As `close`, and whatever was created stays: for a server that goes as well. */
  leave(): Promise<void>;
  /** A lock on the policy role, as another create holds it for a moment: membership in it cannot be granted meanwhile. */
  holdPolicyRole(): Promise<{ held: () => Promise<void>; release: () => Promise<void> }>;
}

/**
 * @param namespace the spec file's own: specs run at the same time on one cluster
 * @param clusterUrl the superuser's
 */
export async function openSampleTarget(
  namespace: string,
  clusterUrl = process.env['TARGET_URL'] ?? '',
): Promise<SampleTarget> {
  const policyRole = `pol_spec_${namespace}`;
  const url = new URL(clusterUrl);
  const opened = new Set<pg.Client>();
  const connect = async (config: pg.ClientConfig): Promise<pg.Client> => {
    const client = new pg.Client(config);
    client.on('error', () => undefined);
    await client.connect();
    opened.add(client);
    client.once('end', () => opened.delete(client));
    return client;
  };
  const place = { host: url.hostname, port: Number(url.port), ssl: false };
  const superuser = (database = DATABASE) =>
    connect({
      ...place,
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database,
    });

  const admin = await superuser(decodeURIComponent(url.pathname.slice(1)) || 'postgres');
  await admin.query(`CREATE DATABASE ${DATABASE}`).catch(ignore('42P04' /* duplicate_database */, '23505'));
  const owner = await superuser();
  for (const file of (await readdir(FILES)).filter((f) => f.endsWith('.sql')).sort()) {
    await untilAlone(owner, await readFile(join(FILES, file), 'utf8'));
  }
  await untilAlone(owner, LOGINS);
  await untilAlone(owner, policyRoleSql(policyRole));

  const asWritten = (user: string, { host, port } = place): z.input<typeof postgresSettings> => ({
    id: 'shop',
    provider: 'postgres',
    maxTtlMs: 900_000,
    connection: { host, port, database: DATABASE, tls: { mode: 'disable' } },
    login: { user, password: user },
    namespace,
    issuerShards: MOST_ISSUERS,
  });
  const settingsOf = (user: string, port = place.port): PostgresSettings =>
    postgresSettings.parse(asWritten(user, { ...place, port }));
  const logged: string[] = [];
  const log = createLog('providers-spec', { level: 'trace', write: (line) => logged.push(line) });
  const brokerSettings = settingsOf('providers_spec_broker');
  const revokerSettings = settingsOf('providers_spec_revoker');
  const broker = openPostgres(brokerSettings, log);
  const revoker = openPostgres(revokerSettings, log);
  const unreachable = openPostgres(settingsOf('providers_spec_broker', 1), log);

  const session = ({ connection: { host, port, database, user, password } }: PostgresCredential) =>
    connect({ host, port, database, user, password: password.reveal(), ssl: false });

  const leave = async (): Promise<void> => {
    await Promise.all([broker, revoker, unreachable].map((provider) => provider.close()));
    await Promise.all([...opened].map((client) => client.end().catch(() => undefined)));
  };

  return {
    broker,
    revoker,
    unreachable,
    brokerSettings,
    revokerSettings,
    logged,
    superuser,
    session,
    policyRole,
    plan: (change) => planOf(namespace, policyRole, change),
    holdPolicyRole: () => holdRole(superuser, policyRole),
    wire: {
      host: place.host,
      port: place.port,
      settings: (process, port) =>
        asWritten(`providers_spec_${process}`, { ...place, host: '127.0.0.1', port }),
    },
    login: async (credential) => agentSession(await session(credential), policyRole),
    async created(wanted) {
      const answer = await broker.create(wanted);
      if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
      if (answer.credential.kind !== 'postgres') throw new Error('another kind was created');
      return answer.credential;
    },
    principalIn: ({ connection }) => connection.user,
    holdCreate: async (wanted) => {
      const role = await holdRole(superuser, policyRole);
      const answer = broker.create(wanted);
      // It does not wait for long: on a machine that stands still it may have given up before anybody looks.
      await Promise.race([role.held(), answer]);
      return { answer, release: role.release };
    },
    async close() {
      await drain(revoker, (lease) => planOf(namespace, policyRole, lease));
      await leave();
    },
    leave,
  };
}

// begin session
const ACTS: Record<string, string> = {
  'read orders': 'SELECT count(*) FROM crm.orders',
  'write orders': 'UPDATE crm.orders SET quantity = quantity WHERE id = 1',
  'delete orders': 'DELETE FROM crm.orders WHERE id = 0',
  'read customers': 'SELECT count(*) FROM crm.customers',
  'read salaries': 'SELECT count(*) FROM hr.salaries',
  'read the fence': 'SELECT count(*) FROM mayfly.fence',
  'make a table': 'CREATE TABLE public.mine (id int)',
  'make a role': 'CREATE ROLE another',
  'become the policy role': 'SET ROLE pol_crm_orders_read',
};

const agentSession = (client: pg.Client, policyRole: string): AgentSession => ({
  use: () => client.query('SELECT count(*) FROM crm.orders'),
  overreach: () => client.query('SELECT count(*) FROM hr.salaries'),
  act: (name) => client.query(ACTS[name] ?? ''),
  escape: () => client.query(`SET ROLE ${policyRole}`),
  close: () => client.end(),
});
// end session

export function planOf(namespace: string, right: string, change: Partial<Plan> = {}): Plan {
  const leaseId = change.leaseId ?? v7();
  const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
  return {
    leaseId,
    provider: 'postgres',
    target: 'shop',
    principal: principalOf(namespace, leaseId),
    rights: [right],
    createBy: inMs(55_000),
    notAfter: inMs(120_000),
    hardEnd: inMs(600_000),
    ...change,
  };
}

async function holdRole(superuser: () => Promise<pg.Client>, role: string) {
  const [holder, watcher] = await Promise.all([superuser(), superuser()]);
  await holder.query(`BEGIN; GRANT ${role} TO providers_spec_holder`);
  return {
    /** Resolves once somebody waits for the lock. */
    held: async () => {
      const waiting = `SELECT FROM pg_locks l JOIN pg_roles r ON r.oid = l.objid
        WHERE NOT l.granted AND l.locktype = 'object' AND r.rolname = $1`;
      while (!(await watcher.query(waiting, [role])).rowCount) await sleep(5);
    },
    release: async () => {
      await holder.query('ROLLBACK');
      await Promise.all([holder.end(), watcher.end()]);
    },
  };
}

async function drain(revoker: CredentialProvider, plan: (lease: Partial<Plan>) => Plan): Promise<void> {
  for await (const lease of revoker.list()) {
    await revoker.cut(plan(lease));
    await revoker.clean(plan(lease));
  }
}

/** Members of the sample's logins, with all that those may do. */
const LOGINS = `
DO $logins$
DECLARE service text;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'providers_spec_holder') THEN
    CREATE ROLE providers_spec_holder NOLOGIN;
  END IF;
  FOREACH service IN ARRAY ARRAY['broker', 'revoker'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'providers_spec_' || service) THEN
      EXECUTE format('CREATE ROLE %I LOGIN PASSWORD %L', 'providers_spec_' || service, 'providers_spec_' || service);
    END IF;
    EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET TRUE', 'mayfly_' || service, 'providers_spec_' || service);
  END LOOP;
END
$logins$`;

const policyRoleSql = (role: string): string => `
DO $role$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN CREATE ROLE ${role} NOLOGIN; END IF;
END $role$;
GRANT ${role} TO ${issuersOf(MOST_ISSUERS).join(', ')} WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
GRANT CONNECT, TEMPORARY ON DATABASE ${DATABASE} TO ${role};
GRANT USAGE ON SCHEMA crm TO ${role};
GRANT SELECT ON crm.orders TO ${role}`;

/** Another spec may run the same files on the same cluster at the same moment. */
async function untilAlone(client: pg.Client, sql: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await client.query(sql);
      return;
    } catch (error) {
      const { code } = error as { code?: string };
      const contended = code === '42710' || code === '23505' || code === 'XX000' || code === '40P01';
      if (!contended || attempt === 10) throw error;
      await sleep(50);
    }
  }
}

const ignore =
  (...codes: string[]) =>
  (error: unknown): void => {
    if (!codes.includes((error as { code?: string }).code ?? '')) throw error;
  };
