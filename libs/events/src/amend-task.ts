/**
 * An amendment: a new authorization of a task that is under way, decided like its start was, with a new generation, so that no
 * lease of the old one lives on. Re-keying is one too: an agent goes on with another key, and never again with the one it had.
 */
import { authorize, refusedTask, toldOf } from './authorize-task.js';
import type { Catalogue } from './catalogue.js';
import { deadlineProblems } from './declare-task.js';
import { declarationProblems, refusalOf } from './declaration-problems.js';
import { keyRefusal } from './entitlement.js';
import type { TaskAmended } from './inbound.js';
import type { EventOf } from './outbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import { serviceSource } from './services.js';
import type { Declaration } from './declaration.js';
import { chainRefusal, lineageOf, type Decided, type Sender, type Task } from './task.js';
import type { Judge } from './verdict.js';

export interface AmendmentFacts {
  catalogue: Catalogue;
  judge: Judge;
  /** Parent first. */
  ancestors: readonly Task[];
  nowMs: number;
}

/** `refused`: the task stays as it is, and so do its leases. */
export function decideAmendment(
  task: Task,
  amendment: TaskAmended,
  by: Sender,
  facts: AmendmentFacts,
): Decided {
  const { declaration } = task;
  if (declaration === null) return rejected('ERR_TASK_UNKNOWN', 'no such task was accepted');
  if (by.id !== declaration.orchestrator)
    return rejected('ERR_NOT_ENTITLED', 'only who started the task may amend it');
  const pin = keyRefusal(task, facts.ancestors, by.id, by.keyThumbprint);
  if (pin !== null) return { is: 'rejected', refusal: pin };

  const common = {
    ...{ taskId: task.taskId, generation: task.generation, tenant: declaration.tenant },
    ...{ causedBy: by.ceId, actor: serviceSource('broker'), at: new Date(facts.nowMs).toISOString() },
  };
  const amended = amendedBy(declaration, amendment);
  const refusal = livenessRefusal(task, facts) ?? refusalOf(problemsOf(amendment, amended, by, facts));
  if (refusal !== null) return refusedTask('task.amendment_refused', common, refusal, facts.judge.digest);
  const authorized = authorize('task.amendment_refused', common, amended, facts);
  if (!authorized.ok) return authorized.refused;

  const { verdict } = authorized;
  const generation = task.generation + 1;
  const { declared, deadline, rekey, reason } = amendment;
  const event: EventOf<'task.amended'> = {
    type: 'task.amended',
    data: {
      ...common,
      generation,
      ...toldOf(amended, facts.judge.digest, verdict),
      deadline: deadline ?? new Date(declaration.deadlineMs).toISOString(),
      lineage: lineageOf({ taskId: task.taskId, generation }, facts.ancestors),
      cause: declared === undefined && deadline === undefined ? 'rekeyed' : 'amended',
      ...(rekey === undefined ? {} : { rekeyed: rekey }),
      ...(reason === undefined ? {} : { reason }),
    },
  };
  return {
    is: 'decided',
    events: [event],
    inputs: { digest: verdict.inputsDigest, inputs: verdict.inputs },
  };
}

const amendedBy = (declaration: Declaration, { declared, deadline }: TaskAmended): Declaration => ({
  ...declaration,
  ...(declared === undefined ? {} : { declared }),
  ...(deadline === undefined ? {} : { deadlineMs: Date.parse(deadline) }),
});

/** A suspended task may be amended, and stays suspended; its ancestors have to be open. */
function livenessRefusal(task: Task, { ancestors, nowMs }: AmendmentFacts): Refusal | null {
  const open: Task = task.status === 'suspended' ? { ...task, status: 'open' } : task;
  return chainRefusal(open, ancestors, nowMs);
}

/** All that is wrong with it. What was accepted once is looked at again: the catalogue may have changed. */
function problemsOf(
  { declared, deadline, rekey }: TaskAmended,
  amended: Declaration,
  by: Sender,
  { catalogue, ancestors, nowMs }: AmendmentFacts,
): Refusal[] {
  const entry = catalogue.orchestrators.get(amended.bounds);
  const parent = ancestors[0]?.declaration ?? null;
  const problems: Refusal[] = [];
  const no = (code: RefusalCode, reason: string) => problems.push({ code, reason });
  if (declared === undefined && deadline === undefined && rekey === undefined)
    no('ERR_DECLARATION_INVALID', 'an amendment that changes nothing');
  if (rekey !== undefined && !amended.agents.includes(rekey))
    no('ERR_AGENT_NOT_NAMED', 'who is to be re-keyed is no agent of this task');
  if (rekey === by.id) no('ERR_DECLARATION_INVALID', 'nobody re-keys itself');
  if (entry === undefined)
    no('ERR_NOT_ENTITLED', 'the catalogue has no orchestrator any more that bounds this task');
  return [
    ...problems,
    ...deadlineProblems(amended.deadlineMs, ancestors, nowMs),
    ...(entry === undefined ? [] : declarationProblems(amended, { by: by.id, entry, catalogue, parent })),
  ];
}

const rejected = (code: RefusalCode, reason: string): Decided => ({
  is: 'rejected',
  refusal: { code, reason },
});
