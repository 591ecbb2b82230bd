/**
 * Proves that a service that is told to stop finishes what it has begun, does not hang where a target does not answer, and that
 * the next start takes up what was left: on the bus in PostgreSQL.
 */
import pg from 'pg';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { callOrders, endTask, next, openClient, startTask } from './support/sample-client.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { noted } from './support/start-command.mjs';
import { query, usablePrincipals } from './support/target-session.js';

const STOPS_WITHIN_MS = 10_000;
/** Of a process that is ending: to be told, and gone. The machine may stand still meanwhile. */
const SLACK_MS = 15_000;
const CALLS = 60;
/** They come after the end of the broker, however long it was about it. */
const LATER_CALLS = 20;
const CALL_EVERY_MS = 50;

let stack: TestStack;
let client: MayflyClient;
beforeAll(async () => {
  stack = await startStack({ env: { MAYFLY_BUS: 'postgres' } });
  client = await openClient(stack);
}, 180_000);
afterAll(async () => {
  await client?.close();
  await stack?.stop();
}, 60_000);

describe('SIGTERM under load', () => {
  it('loses nothing: each service ends with status 0, and every call is answered once', async () => {
    const tasks = await Promise.all([1, 2, 3].map(() => startTask(client)));
    let answered = 0;
    let letGo = (): void => undefined;
    const gone = new Promise<void>((resolve) => (letGo = resolve));
    const calls = Array.from({ length: CALLS }, async (_, i) => {
      if (i >= CALLS - LATER_CALLS) await gone;
      await sleep((i % (CALLS - LATER_CALLS)) * CALL_EVERY_MS);
      const { credential } = await callOrders(client, tasks[i % tasks.length] ?? '');
      answered += 1;
      return credential.leaseId;
    });
    await until(() => answered > 3);

    for (const service of ['broker', 'revoker', 'auditor', 'signer'] as const) {
      const { end, tookMs } = await told(service, 'SIGTERM');
      expect(end).toEqual({ code: 0, signal: null });
      expect(tookMs).toBeLessThan(STOPS_WITHIN_MS + SLACK_MS);
      if (service === 'broker') {
        expect(answered).toBeLessThan(CALLS);
        letGo();
      }
      await stack.start(service);
    }

    const leases = await Promise.all(calls);
    expect(new Set(leases).size).toBe(CALLS);
    const over = tasks.map((taskId) => next(client, 'task.ended', taskId));
    await Promise.all(tasks.map((taskId) => endTask(client, taskId)));
    await Promise.all(over);
    await until(async () => (await usablePrincipals(stack.urls.target)).length === 0);
    await until(async () => (await unsentRecords()).length === 0);
  }, 180_000);
});

describe('SIGTERM while the target does not answer', () => {
  it('ends in time, and the next start finishes the work', async () => {
    const [calling, ended] = await Promise.all([startTask(client), startTask(client)]);
    const { credential } = await callOrders(client, ended);
    const intended = next(client, 'lease.intended', calling);
    const requested = next(client, 'lease.revocation_requested', ended);
    const cut = next(client, 'lease.access_cut', ended);
    const thaw = await freeze();
    const answer = callOrders(client, calling);
    await intended;
    await endTask(client, ended);
    await requested;

    const [broker, revoker] = await Promise.all([told('broker', 'SIGTERM'), told('revoker', 'SIGTERM')]);

    expect(Math.max(broker.tookMs, revoker.tookMs)).toBeLessThan(STOPS_WITHIN_MS + SLACK_MS);
    // 0 where the provider gave the target up in time, 1 where the service gave up the provider.
    for (const { end } of [broker, revoker]) expect([0, 1]).toContain(end.code);
    thaw();
    await Promise.all([stack.start('broker'), stack.start('revoker')]);
    expect((await cut).data).toMatchObject({ leaseId: credential.leaseId, cause: 'task_ended' });
    expect((await answer).credential.connection.user).toMatch(/^k/);
  }, 120_000);

  it('and a second one end it at once', async () => {
    const taskId = await startTask(client);
    const intended = next(client, 'lease.intended', taskId);
    const thaw = await freeze();
    const answer = callOrders(client, taskId);
    await intended;
    const before = stack.logs('broker').length;
    const first = told('broker', 'SIGTERM');
    await until(() => stack.logs('broker').slice(before).includes('"stopping"'));

    await told('broker', 'SIGTERM');

    // Only a second one makes it end with that.
    expect((await first).end).toEqual({ code: 143, signal: null });
    thaw();
    await stack.start('broker');
    expect((await answer).credential.connection.user).toMatch(/^k/);
  }, 120_000);
});

async function told(service: 'broker' | 'revoker' | 'auditor' | 'signer', signal: NodeJS.Signals) {
  const fromMs = performance.now();
  const end = await stack.kill(service, signal);
  return { end, tookMs: performance.now() - fromMs };
}

/** Stops the target's processes where they stand: connections stay, and nothing answers. @returns what lets them go on */
async function freeze(): Promise<() => void> {
  const looking = new pg.Client({ connectionString: stack.urls.target });
  await looking.connect();
  const postmaster = noted(stack.stateDir).find(({ name }) => name === 'target')?.pid ?? NaN;
  // First of all, so that nobody comes in behind the look at who is there.
  process.kill(postmaster, 'SIGSTOP');
  const { rows } = await looking.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
  );
  await looking.end();
  const pids = [postmaster, ...rows.map(({ pid }) => pid)];
  const tell = (signal: NodeJS.Signals) => {
    for (const pid of pids) process.kill(pid, signal);
  };
  tell('SIGSTOP');
  return () => tell('SIGCONT');
}

const unsentRecords = async () => {
  const waiting = (schema: string) =>
    query(
      stack.urls.database,
      // The revoker's heartbeat is always on its way.
      `SELECT id FROM ${schema}.outbox WHERE queued_at < now() - interval '5 seconds'`,
    );
  return (await Promise.all(['broker', 'revoker', 'audit'].map(waiting))).flat();
};

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error('it did not come to that');
    await sleep(20);
  }
}
