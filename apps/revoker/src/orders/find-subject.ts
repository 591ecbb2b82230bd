/** Whether there is what an order is about, as far as the revoker knows: a name that is wrong must not look like an order that is carried out. */
import { NO_ONE_TASK, type OrderScope } from '#events/order-events.js';
import { unreachable } from '#events/unreachable.js';
import type { Tx } from '#store/database.js';
import type { RevokerParts } from '../revoker-parts.js';

export interface Subject {
  /** The task that it is of, or `revocations` for what is of no one task. */
  taskId: string;
  generation: number;
}

/** Null where there is none. */
export async function findSubject(
  tx: Tx,
  scope: Exclude<OrderScope, 'all'>,
  id: string,
  { catalogue, providers }: Pick<RevokerParts, 'catalogue' | 'providers'>,
): Promise<Subject | null> {
  const noTask = (known: boolean): Subject | null => (known ? { taskId: NO_ONE_TASK, generation: 0 } : null);
  switch (scope) {
    case 'lease':
      return await leaseOf(tx, id);
    case 'task':
      return (await isTask(tx, id)) ? { taskId: id, generation: 0 } : null;
    case 'agent':
      return noTask(catalogue.agents.has(id) || (await exists(tx, AGENT_HAS, id)));
    case 'target':
      return noTask(catalogue.targets.has(id) || providers.has(id) || (await exists(tx, TARGET_HAS, id)));
    default:
      return unreachable(scope);
  }
}

const AGENT_HAS = `SELECT 1 FROM lease WHERE state = 'known' AND body->>'agent' = $1
                   UNION ALL SELECT 1 FROM revoked_agent WHERE agent = $1`;
const TARGET_HAS = `SELECT 1 FROM lease WHERE state <> 'removed' AND target = $1`;

async function exists(tx: Tx, query: string, id: string): Promise<boolean> {
  const { rows } = await tx.query<{ known: boolean }>(`SELECT EXISTS (${query}) AS known`, [id]);
  return rows[0]?.known === true;
}

async function leaseOf(tx: Tx, leaseId: string): Promise<Subject | null> {
  const { rows } = await tx.query<Subject>(
    `SELECT task_id AS "taskId", (body->>'generation')::int AS generation FROM lease WHERE lease_id = $1`,
    [leaseId],
  );
  return rows[0] ?? null;
}

/** A row alone is not enough: an end of somebody who may not say so leaves one, too. */
async function isTask(tx: Tx, taskId: string): Promise<boolean> {
  return await exists(
    tx,
    `SELECT 1 FROM task WHERE task_id = $1 AND (state->'accepted' <> 'null' OR state->'starts' <> '[]')
     UNION ALL SELECT 1 FROM lease_lineage WHERE task_id = $1`,
    taskId,
  );
}
