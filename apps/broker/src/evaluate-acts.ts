/** Whether agents might act, were they to ask now: the decision of a call, without a call. Nothing is written, and nothing comes of it. */
import { v7 as uuidv7 } from 'uuid';
import type { AgentStanding } from '#events/agent-standing.js';
import { decideCall } from '#events/call.js';
import type { Catalogue } from '#events/catalogue.js';
import type { SealKey, ToolCalled } from '#events/inbound.js';
import type { Check, EventOf } from '#events/outbound.js';
import type { RefusalCode } from '#events/refusal.js';
import { unknownTask, type Task } from '#events/task.js';
import { transact } from '#store/database.js';
import { sha256Hex } from '#store/parking.js';
import type { BrokerParts } from './broker-parts.js';
import { readFacts } from './call-rows.js';
import { readTasks } from './task-rows.js';

/** Who might do what, in which task. */
export interface Act {
  taskId: string;
  /** SPIFFE id. */
  agent: string;
  tool: string;
  dataset?: string | undefined;
  action: string;
}

export interface Evaluation {
  decision: EventOf<'call.decided'>['data']['decision'];
  /** Unless permitted. */
  code?: RefusalCode;
  reasons: string[];
  checks: Check[];
  obligations: EventOf<'call.decided'>['data']['obligations'];
  /** Digest of the set that would decide. */
  policySet: string;
}

/** A call is decided by whom it is sealed for, too; there is nobody here. */
const NOBODY: SealKey = { kty: 'OKP', crv: 'X25519', x: '' };
const NOBODYS_THUMBPRINT = '';

/**
 * @param asks who wants to know: an agent about itself, the orchestrator of the task, who verifies tokens of the tool, operators and
 *   auditors. Anybody else hears the same whether there is such a task or not.
 * @returns in the order of the acts
 */
export async function evaluateActs(
  acts: readonly Act[],
  asks: string,
  parts: Pick<BrokerParts, 'db' | 'catalogue' | 'judge'>,
): Promise<Evaluation[]> {
  const { tasks, nowMs, open, standing } = await transact(parts.db, async (tx) => {
    const agents = [...new Set(acts.map(({ agent }) => agent))];
    const [found, facts] = await Promise.all([
      readTasks(tx, [...new Set(acts.map(({ taskId }) => taskId))]),
      readFacts(tx, [], agents, agents),
    ]);
    const { nowMs, open, standing } = facts;
    return { tasks: found, nowMs, open, standing };
  });
  return acts.map((act) => {
    const task = tasks.get(act.taskId) ?? unknownTask(act.taskId);
    if (!mayAsk(asks, act, task, parts.catalogue))
      return denied('ERR_NOT_ENTITLED', 'the caller may not ask about this act', parts.judge.digest);
    const ancestors = (task.declaration?.ancestors ?? []).flatMap((id) => tasks.get(id) ?? []);
    return evaluate(act, {
      ...{ ...parts, task, ancestors, nowMs },
      openTasksOfSender: open[act.agent] ?? 0,
      standing: standing.of(act.agent),
    });
  });
}

function mayAsk(asks: string, { agent, tool }: Act, { declaration }: Task, catalogue: Catalogue): boolean {
  return (
    asks === agent ||
    asks === declaration?.orchestrator ||
    catalogue.tools.get(tool)?.verifiers.includes(asks) === true ||
    catalogue.operators.get(asks)?.roles.some((role) => role !== 'approver') === true
  );
}

type Facts = Pick<BrokerParts, 'catalogue' | 'judge'> & {
  task: Task;
  ancestors: Task[];
  openTasksOfSender: number;
  standing: AgentStanding;
  nowMs: number;
};

function evaluate({ taskId, agent, tool, dataset, action }: Act, facts: Facts): Evaluation {
  const call: ToolCalled = {
    ...{ taskId, callId: uuidv7(), tool, action, sealTo: NOBODY },
    ...(dataset === undefined ? {} : { dataset }),
  };
  // By the key that it is known by: whoever asks need not have it, for nothing is given.
  const by = { id: agent, keyThumbprint: facts.task.pins[agent] ?? 'none yet', ceId: '' };
  const result = decideCall(call, by, {
    ...facts,
    sealKeyThumbprint: NOBODYS_THUMBPRINT,
    newLeaseId: uuidv7(),
    principalOf: () => '',
    sha256Hex,
  });
  if (result.is === 'rejected') return denied(result.refusal.code, result.refusal.reason, facts.judge.digest);
  const { decision, code, checks, obligations, policySet } = result.decided.data;
  const reasons = result.refusal === null ? policyReasons(checks) : result.reasons;
  return { decision, reasons, checks, obligations, policySet, ...(code === undefined ? {} : { code }) };
}

const policyReasons = (checks: readonly Check[]): string[] => checks.flatMap(({ reason }) => reason ?? []);

const denied = (code: RefusalCode, reason: string, policySet: string): Evaluation => ({
  decision: 'deny',
  code,
  reasons: [reason],
  checks: [],
  obligations: { ttlMs: null, approval: null },
  policySet,
});
