/**
 * Proves that kill -9 at the worst moments leaves no credential that outlives its lease: of the broker between intent and
 * outcome, of the revoker in the middle of a cut. And that an open session cannot fight its way back.
 */
import type pg from 'pg';
import type { MayflyClient } from '../apps/cli/src/mayfly-client.js';
import { callOrders, endTask, next, openClient, startTask } from './support/sample-client.js';
import { startStack, type TestStack } from './support/stack.mjs';
import { holdLock, login, query, usablePrincipals } from './support/target-session.js';

describe('kill -9', () => {
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

  it('of the broker between intent and outcome: the lease is abandoned and cut, and its call gets another', async () => {
    const taskId = await startTask(client);
    const intended = next(client, 'lease.intended', taskId);
    const abandoned = next(client, 'lease.abandoned', taskId);
    const removed = next(client, 'lease.removed', taskId);
    // The create has reached the target, and waits there for the fence.
    const fence = await holdLock(stack.urls.target, 'LOCK TABLE mayfly.fence IN ACCESS EXCLUSIVE MODE');
    const answer = callOrders(client, taskId);
    const { leaseId, principal } = (await intended).data;
    await waiting(stack.urls.target, 1);

    await stack.kill('broker');
    // It lands now, with nobody left to hear of it.
    await fence.release();
    await stack.start('broker');

    expect((await abandoned).data).toMatchObject({ leaseId, answered: false });
    expect((await removed).data).toMatchObject({ leaseId, cause: 'abandoned' });
    const { credential } = await answer;
    expect(credential.leaseId).not.toBe(leaseId);
    await (await login(credential)).end();
    expect(await usablePrincipals(stack.urls.target)).toEqual([{ rolname: credential.connection.user }]);
    expect(principal).not.toBe(credential.connection.user);

    await ended(client, taskId);
    expect(await usablePrincipals(stack.urls.target)).toEqual([]);
  }, 180_000);

  it('of the revoker in the middle of a cut: the next one ends it', async () => {
    const taskId = await startTask(client);
    const { credential } = await callOrders(client, taskId);
    const session = await login(credential);
    const requested = next(client, 'lease.revocation_requested', taskId);
    const cut = next(client, 'lease.access_cut', taskId);
    const removed = next(client, 'lease.removed', taskId);
    const fence = await holdLock(
      stack.urls.target,
      `SELECT FROM mayfly.fence WHERE lease_id = '${credential.leaseId}' FOR UPDATE`,
    );
    await endTask(client, taskId);
    await requested;
    await waiting(stack.urls.target, 1);

    await stack.kill('revoker');
    await fence.release();
    await stack.start('revoker');

    expect((await cut).data).toMatchObject({ leaseId: credential.leaseId, cause: 'task_ended' });
    await expect(session.query('SELECT 1')).rejects.toThrow();
    await removed;
    await expect(login(credential)).rejects.toMatchObject({ code: '28P01' });
  }, 180_000);

  it('of the broker after a task ended unseen: the revoker cuts without it', async () => {
    const taskId = await startTask(client);
    const { credential } = await callOrders(client, taskId);
    const cut = next(client, 'lease.access_cut', taskId);
    const removed = next(client, 'lease.removed', taskId);

    await stack.kill('broker');
    await endTask(client, taskId);

    expect((await cut).data).toMatchObject({ leaseId: credential.leaseId, cause: 'task_ended' });
    await removed;
    await stack.start('broker');
    await expect(callOrders(client, taskId)).rejects.toMatchObject({ code: 'ERR_TASK_ENDED' });
  }, 180_000);

  it('of nobody: a client that reconnects in a loop while its task ends is out, and stays out', async () => {
    const taskId = await startTask(client);
    const { credential } = await callOrders(client, taskId);
    const session = await login(credential);
    const fight = reconnecting(() => login(credential));
    await fight.isIn;
    const cut = next(client, 'lease.access_cut', taskId);

    await endTask(client, taskId);
    const { cutAt } = (await cut).data;

    await expect(session.query('SELECT 1')).rejects.toThrow();
    const inAgain = await fight.stop();
    expect(inAgain.before).toBeGreaterThan(0);
    expect(inAgain.alive).toBe(0);
    expect(Date.parse(cutAt)).not.toBeNaN();
    const sessions = await query(stack.urls.target, 'SELECT FROM pg_stat_activity WHERE usename = $1', [
      credential.connection.user,
    ]);
    expect(sessions).toEqual([]);
  }, 180_000);
});

/** Until so many backends of ours wait for a lock at the target. */
async function waiting(targetUrl: string, backends: number): Promise<void> {
  for (;;) {
    const rows = await query(
      targetUrl,
      "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename LIKE 'mayfly_%'",
    );
    if (rows.length >= backends) return;
  }
}

async function ended(client: MayflyClient, taskId: string): Promise<void> {
  const removed = next(client, 'lease.removed', taskId);
  await endTask(client, taskId);
  await removed;
}

/** Logs in again and again; `isIn` once it has worked, and `stop` tells how many logins worked, and how many of their sessions still answer. */
function reconnecting(open: () => Promise<pg.Client>) {
  const sessions: pg.Client[] = [];
  let stopped = false;
  let enter = (): void => undefined;
  const isIn = new Promise<void>((resolve) => (enter = resolve));
  const loop = (async () => {
    while (!stopped) {
      const session = await open().catch(() => null);
      if (session !== null) sessions.push(session);
      if (session !== null) enter();
      if (sessions.length >= 3) await sessions.shift()?.end();
    }
  })();
  return {
    isIn,
    stop: async () => {
      stopped = true;
      await loop;
      const answers = await Promise.allSettled(sessions.map((session) => session.query('SELECT 1')));
      return {
        before: sessions.length,
        alive: answers.filter((answer) => answer.status === 'fulfilled').length,
      };
    },
  };
}
