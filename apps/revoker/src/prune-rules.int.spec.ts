import { v7 as uuidv7 } from 'uuid';
import { retentionOf, retentionSchema } from '#config/retention.js';
import type { RevokerLease } from '#events/revocation.js';
import { iso } from '#events/revocation.js';
import { transact } from '#store/database.js';
import { appendEvents } from '#store/events.js';
import { Pruner } from '#store/prune.js';
import { freshSchema, type FreshSchema } from '../../../libs/store/test/fresh-schema.js';
import { saveLineage } from './lease-rows.js';
import { revokerMigrations } from './migrations.js';
import { revokerRules } from './prune-rules.js';
import { unwatchedTask, type Start, type WatchedTask } from './watched-task.js';
import { writeRows } from './write-rows.js';

const HOUR_MS = 3_600_000;
const byDefault = retentionOf(retentionSchema.parse({}));

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('revoker', revokerMigrations);
});
afterEach(() => schema.drop());

async function prunes(): Promise<Record<string, number>> {
  const pruned: Record<string, number> = {};
  await new Pruner({
    db: schema.db,
    rules: revokerRules(byDefault),
    onPruned: (rule, rows) => (pruned[rule] = (pruned[rule] ?? 0) + rows),
    warn: (fields, message) => {
      throw Object.assign(new Error(message), fields);
    },
  }).run();
  return pruned;
}

/** A task as the revoker keeps it, with its end. @param overHours since its deadline; null: its start was never accepted */
async function task(taskId: string, overHours: number | null, heardHours = 0): Promise<void> {
  const start: Start = {
    ceId: 'ce-1',
    orchestrator: 'spiffe://dev.mayfly/orchestrator/sample',
    keyThumbprint: 'k',
    agents: [],
    agentsMayEnd: false,
    bounds: 'spiffe://dev.mayfly/orchestrator/sample',
    tenant: 'sample',
    deadlineMs: Date.now() - (overHours ?? 0) * HOUR_MS,
  };
  const watched: WatchedTask = {
    ...unwatchedTask(taskId),
    ...(overHours === null ? { starts: [start] } : { accepted: start }),
  };
  await schema.db.pool.query(
    "INSERT INTO task (task_id, heard_at) VALUES ($1, now() - $2 * interval '1 hour')",
    [taskId, heardHours],
  );
  await transact(schema.db, async (tx) => {
    await writeRows(tx, {
      tombstones: [{ taskId, generationBelow: null, cause: 'task_ended', causedBy: null }],
      leases: [],
      tasks: [watched],
    });
    await appendEvents(tx, [
      { stream: taskId, version: 1, type: 'lease.revocation_requested', data: {}, ceId: 'ce-2' },
    ]);
  });
}

async function lease(
  state: RevokerLease['state'],
  taskIds: readonly string[],
  overHours: number | null,
  heardHours = 0,
): Promise<string> {
  const leaseId = uuidv7();
  const hardEnd = iso(Date.now() - (overHours ?? 0) * HOUR_MS);
  const heard = {
    leaseId,
    taskId: taskIds[0] ?? '',
    generation: 1,
    lineage: taskIds.map((taskId) => ({ taskId, generation: 1 })),
    plan:
      overHours === null
        ? null
        : {
            ...{
              leaseId,
              provider: 'postgres' as const,
              target: 'shop',
              principal: `mf_${leaseId}`,
              rights: [],
            },
            ...{ createBy: hardEnd, notAfter: hardEnd, hardEnd },
          },
    issued: true,
    answered: true,
  };
  const revocation = {
    cause: 'task_ended' as const,
    causedBy: null,
    requestedAtMs: 0,
    attempts: 0,
    sessionsEnded: 0,
  };
  const body: RevokerLease = state === 'known' ? { ...heard, state } : { ...heard, state, revocation };
  await transact(schema.db, async (tx) => {
    await writeRows(tx, {
      tombstones: [],
      leases: [{ lease: body, actAtMs: null, takenBy: null, turnAtMs: null }],
      tasks: [],
    });
    await saveLineage(tx, [body]);
  });
  await schema.db.pool.query(
    "UPDATE lease SET heard_at = now() - $2 * interval '1 hour' WHERE lease_id = $1",
    [leaseId, heardHours],
  );
  return leaseId;
}

const leases = async () => {
  const { rows } = await schema.db.pool.query<{ lease_id: string }>(
    'SELECT lease_id FROM lease ORDER BY lease_id',
  );
  return rows.map((row) => row.lease_id);
};
/** Rows of a task, by table. */
async function keptOf(taskId: string) {
  const { rows } = await schema.db.pool.query<Record<'task' | 'tombstone' | 'event' | 'lineage', number>>(
    `SELECT (SELECT count(*) FROM task WHERE task_id = $1)::int AS task,
            (SELECT count(*) FROM tombstone WHERE task_id = $1)::int AS tombstone,
            (SELECT count(*) FROM event WHERE stream = $1)::int AS event,
            (SELECT count(*) FROM lease_lineage WHERE task_id = $1)::int AS lineage`,
    [taskId],
  );
  return rows[0];
}
const ALL = { task: 1, tombstone: 1, event: 1, lineage: 0 };
const NOTHING = { task: 0, tombstone: 0, event: 0, lineage: 0 };

it('forgets a removed lease a day after its hard end, and its lineage with it', async () => {
  await task('task-1', 1);
  const over = await lease('removed', ['task-1'], 24.1);
  const fresh = await lease('removed', ['task-1'], 23.9);
  expect(await leases()).toEqual([over, fresh]);

  expect(await prunes()).toEqual({ removed_leases: 1 });

  expect(await leases()).toEqual([fresh]);
  expect(await keptOf('task-1')).toEqual({ ...ALL, lineage: 1 });
});

it.each(['known', 'due', 'cut'] as const)(
  'keeps a lease that is %s, and every task it hangs on, for ever',
  async (state) => {
    await task('task-1', 10_000);
    await task('task-0', 10_000);
    const kept = await lease(state, ['task-1', 'task-0'], 10_000, 10_000);

    expect(await prunes()).toEqual({});

    expect(await leases()).toEqual([kept]);
    expect(await keptOf('task-1')).toEqual({ ...ALL, lineage: 1 });
    expect(await keptOf('task-0')).toEqual({ ...ALL, lineage: 1 });
  },
);

it('forgets the end of a task a day after its deadline, with its row and what it said', async () => {
  await task('over', 24.1);
  await task('fresh', 23.9);

  expect(await prunes()).toEqual({ ended_tasks: 1 });

  expect(await keptOf('over')).toEqual(NOTHING);
  expect(await keptOf('fresh')).toEqual(ALL);
});

it('forgets a task in the run that forgot the last lease under it', async () => {
  await task('parent', 25);
  await task('child', 26);
  await lease('removed', ['child', 'parent'], 26);

  expect(await prunes()).toEqual({ removed_leases: 1, ended_tasks: 2 });

  expect(await keptOf('parent')).toEqual(NOTHING);
  expect(await keptOf('child')).toEqual(NOTHING);
});

it('keeps a task that nobody has ended, until its deadline and a day have passed', async () => {
  await task('open', -24, 10_000);
  await schema.db.pool.query('DELETE FROM tombstone');

  expect(await prunes()).toEqual({});
  expect(await keptOf('open')).toEqual({ ...ALL, tombstone: 0 });
});

it('keeps the end of a task that the broker never accepted as long as a topic may hold its start', async () => {
  await task('over', null, 15 * 24 + 0.1);
  await task('fresh', null, 15 * 24 - 0.1);

  expect(await prunes()).toEqual({ unaccepted_tasks: 1 });

  expect(await keptOf('over')).toEqual(NOTHING);
  expect(await keptOf('fresh')).toEqual(ALL);
});

it('forgets an outcome whose intent no topic can hold any more', async () => {
  await task('task-1', -1);
  await lease('known', ['task-1'], null, 15 * 24 + 0.1);
  const fresh = await lease('due', ['task-1'], null, 15 * 24 - 0.1);

  expect(await prunes()).toEqual({ unplanned_leases: 1 });
  expect(await leases()).toEqual([fresh]);
});

it('finds what is over by its indexes', async () => {
  const planOf = async (sql: string) => {
    const { rows } = await transact(schema.db, async (tx) => {
      await tx.query('SET LOCAL enable_seqscan = off');
      return await tx.query<Record<string, string>>(`EXPLAIN ${sql}`);
    });
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  };

  expect(
    await planOf(
      `SELECT lease_id FROM lease WHERE state = 'removed' AND body->'plan'->>'hardEnd' < '2026' ORDER BY body->'plan'->>'hardEnd' LIMIT 1`,
    ),
  ).toContain('lease_removed');
  expect(await planOf(`DELETE FROM lease_lineage WHERE lease_id = 'lease-1'`)).toContain(
    'lease_lineage_lease',
  );
  expect(await planOf(`SELECT task_id FROM task WHERE over_ms < 1 ORDER BY over_ms LIMIT 1`)).toContain(
    'task_over',
  );
});
