/** The task that the sample declares: what it is for, who works on it, and with what. Pure. */
import { createHash } from 'node:crypto';
import type { TaskStarted } from '#events/inbound.js';
import { SAMPLE_ANALYST } from '../commands/context.js';

const OBJECTIVE =
  'Reconcile the orders of the last quarter with the invoices, and report what does not match.';
const MINUTES = 60_000;

export function sampleTask(taskId: string, nowMs: number): TaskStarted {
  return {
    taskId,
    purpose: "Reconcile last quarter's orders",
    objectiveSha256: createHash('sha256').update(OBJECTIVE).digest('hex'),
    principal: { id: 'user:maria@corp.example', kind: 'human' },
    agents: [{ id: SAMPLE_ANALYST }],
    declared: [
      { tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] },
      // Declared, and still refused at the call: the declaration is a ceiling, the policy decides.
      { tool: 'sql.query', dataset: 'hr.salaries', actions: ['read'] },
    ],
    deadline: new Date(nowMs + 15 * MINUTES).toISOString(),
    risk: 'low',
  };
}

/** What the analyst runs with its credential. */
export const SAMPLE_QUERY =
  "SELECT count(*)::int AS orders, sum(amount)::text AS amount FROM crm.orders WHERE status = 'paid'";
