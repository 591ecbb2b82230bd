/**
 * Proves that one task goes the whole way over real Kafka and real PostgreSQL: declared, permitted, issued, used, ended,
 * proven dead, logged. And that its secret stays where it belongs.
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import type pg from 'pg';
import type { OpenedPostgres } from '#agent/open-envelope.js';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { readEverything } from './support/read-topics.js';
import {
  ANALYST,
  callOrders,
  declaration,
  endTask,
  next,
  openClient,
  ORCHESTRATOR,
  PLANNER,
  startTask,
  WITHIN_MS,
} from './support/sample-client.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { login, query, usablePrincipals } from './support/target-session.js';

const root = join(import.meta.dirname, '..');

describe('the first run', () => {
  let stack: TestStack;
  let client: MayflyClient;
  beforeAll(async () => {
    stack = await startStack();
    client = await openClient(stack);
  }, 180_000);
  afterAll(async () => {
    await client?.close();
    await stack?.stop();
  }, 60_000);

  it('the sample task tells its story, and every step of it holds', async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(root, 'dist', 'apps', 'cli', 'src', 'sample', 'main.js')],
      { env: { ...process.env, MAYFLY_ENV: 'development', MAYFLY_STATE_DIR: stack.stateDir } },
    );

    expect(stdout).toMatch(/same query in the open session +refused after \d+ ms/);
    expect(stdout).toMatch(/same query after a new login +refused after \d+ ms/);
    expect(stdout).toMatch(/denied +ERR_DATASET_FORBIDDEN/);
    expect(stdout).toMatch(/inclusion .* verified/);
    expect(stdout).toMatch(
      /legacy_etl +crm\.customers \(read\), crm\.orders \(read, write\), hr\.salaries \(read\); never/,
    );
    expect(stdout).toMatch(/report_bot +crm\.orders \(read\); never expires/);
  }, 180_000);

  describe('a task', () => {
    let taskId: string;
    let credential: OpenedPostgres;
    let session: pg.Client;

    it('gets its agent a credential for the dataset it declared', async () => {
      taskId = await startTask(client);

      ({ credential } = await callOrders(client, taskId));
      session = await login(credential);

      const { rows } = await session.query<{ n: number }>('SELECT count(*)::int AS n FROM crm.orders');
      expect(rows[0]?.n).toBeGreaterThan(1_000);
    });

    it('gets it nothing else at the target', async () => {
      await expect(session.query('SELECT * FROM hr.salaries')).rejects.toMatchObject({ code: '42501' });
      await expect(session.query('DELETE FROM crm.orders')).rejects.toMatchObject({ code: '42501' });
      await expect(session.query('SET ROLE pol_crm_orders_read')).rejects.toMatchObject({ code: '42501' });
    });

    it('is denied a dataset that policy forbids, though the tool is permitted', async () => {
      const denied = client.call(
        { taskId, tool: 'sql.query', dataset: 'hr.salaries', action: 'read' },
        ANALYST,
        WITHIN_MS,
      );

      await expect(denied).rejects.toMatchObject({ code: 'ERR_DATASET_FORBIDDEN' });
    });

    it('is denied a call outside its declaration, and an agent it does not name', async () => {
      const outside = { taskId, tool: 'sql.query', dataset: 'crm.customers', action: 'read' };
      const declared = { taskId, tool: 'sql.query', dataset: 'crm.orders', action: 'read' };

      await expect(client.call(outside, ANALYST, WITHIN_MS)).rejects.toMatchObject({
        code: 'ERR_NOT_DECLARED',
      });
      await expect(client.call(declared, PLANNER, WITHIN_MS)).rejects.toMatchObject({
        code: 'ERR_AGENT_NOT_NAMED',
      });
    });

    it('takes the credential away when it ends: the open session dies, and nothing comes back', async () => {
      const cut = next(client, 'lease.access_cut', taskId);
      const removed = next(client, 'lease.removed', taskId);

      await endTask(client, taskId);

      const { evidence, cause } = (await cut).data;
      expect(cause).toBe('task_ended');
      expect(evidence.observations).toBeGreaterThanOrEqual(2);
      await expect(session.query('SELECT 1')).rejects.toThrow();
      // 28000: the login is disabled. 28P01: its role is gone, too.
      await expect(login(credential)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) as string });
      expect((await removed).data.leaseId).toBe(credential.leaseId);
      await expect(login(credential)).rejects.toMatchObject({ code: '28P01' });
      expect(await usablePrincipals(stack.urls.target)).toEqual([]);
    });

    it('gets nothing after its end', async () => {
      await expect(callOrders(client, taskId)).rejects.toMatchObject({ code: 'ERR_TASK_ENDED' });
    });

    it('leaves its secret nowhere: not in tables, topics, logs or files', async () => {
      const secret = credential.connection.password.reveal();
      const tables = await dumpTables(stack.urls.database);
      const records = await readEverything(stack.addresses.kafka ?? '');
      const files = filesBelow(stack.stateDir);

      // The net has no holes: what is known to be there is found.
      expect(tables.some((row) => row.includes(credential.leaseId))).toBe(true);
      expect(records.some((record) => record.includes(credential.leaseId))).toBe(true);
      expect(files.some((file) => contains(file, credential.connection.user))).toBe(true);

      expect(tables.filter((row) => row.includes(secret))).toEqual([]);
      expect(records.filter((record) => record.includes(secret))).toEqual([]);
      expect(files.filter((file) => contains(file, secret))).toEqual([]);
    });
  });

  it('a credential ends with its lease, also where nobody ends the task', async () => {
    const taskId = await startTask(client);
    const cut = next(client, 'lease.access_cut', taskId);
    const { credential } = await callOrders(client, taskId, { ttlMs: 15_000 });

    const { cause, cutAt } = (await cut).data;

    expect(cause).toBe('expired');
    expect(Date.parse(cutAt)).toBeGreaterThanOrEqual(Date.parse(credential.notAfter));
    await expect(login(credential)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) as string });
  }, 180_000);

  it('a declaration of a stranger, or with a deadline in the past, makes no task', async () => {
    const past = { deadline: new Date(Date.now() - 1_000).toISOString() };
    const byStranger = await client.send('task.started', declaration(), ANALYST, WITHIN_MS);
    const tooLate = await client.send('task.started', declaration(past), ORCHESTRATOR, WITHIN_MS);

    expect((await byStranger.verdict).data).toMatchObject({ code: 'ERR_NOT_ENTITLED' });
    expect((await tooLate.verdict).data).toMatchObject({ code: 'ERR_DEADLINE_PAST' });
  });
});

/** Every row of every table of every schema of ours, as text. */
async function dumpTables(url: string): Promise<string[]> {
  const tables = await query<{ name: string }>(
    url,
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname IN ('broker', 'revoker', 'audit')`,
  );
  const rows = await Promise.all(
    tables.map(({ name }) => query<{ row: string }>(url, `SELECT t::text AS row FROM ${name} AS t`)),
  );
  // bytea shows as hex, so its clear text is added.
  return rows
    .flat()
    .flatMap(({ row }) => [
      row,
      ...[...row.matchAll(/\\x([0-9a-f]+)/g)].map(([, hex]) =>
        Buffer.from(hex ?? '', 'hex').toString('latin1'),
      ),
    ]);
}

/** Files of the services and of both PostgreSQL servers, their write-ahead logs too. Kafka's own were read as topics. */
function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes(`${sep}kafka${sep}`))
    .map((entry) => join(entry.parentPath, entry.name));
}

function contains(file: string, text: string): boolean {
  try {
    return readFileSync(file).includes(text);
  } catch (error) {
    // The servers run on: a file may go while it is looked at.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
