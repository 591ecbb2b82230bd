/** May this orchestrator declare this work? Once for each agent, tool, dataset and action; all must be permitted. */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Catalogue } from '#events/catalogue.js';
import type { RefusalCode } from '#events/refusal.js';
import { unreachable } from '#events/unreachable.js';
import { type CedarRequest, entityRef, uid } from './cedar-request.js';
import { inputsDigest, type TaskInputs } from './decision-inputs.js';
import { evaluate } from './evaluate.js';
import {
  agentEntity,
  datasetEntity,
  orchestratorEntity,
  type TaskContext,
  taskFacts,
  toolEntity,
} from './facts.js';
import type { ParsedPolicies } from './parse-policies.js';

/** Each is a decision of the engine, on the thread that consumes: one declaration must not hold up all other tasks. */
export const MAX_DECLARED_COMBINATIONS = 512;

export interface TaskRequest {
  catalogue: Catalogue;
  /** SPIFFE ids. */
  orchestrator: string;
  agents: readonly string[];
  /** `agents` absent: all agents of the task. */
  declared: readonly {
    tool: string;
    dataset?: string;
    actions: readonly string[];
    agents?: readonly string[];
  }[];
  task: TaskContext;
}

export interface TaskDecision {
  decision: 'permit' | 'deny';
  /** Present unless permitted. */
  code?: Extract<RefusalCode, 'ERR_TASK_FORBIDDEN' | 'ERR_DECLARATION_INVALID' | 'ERR_POLICY_FAILED'>;
  reason?: string;
  /** Ids of the determining policies, sorted: of the first refusal, or of all permits. */
  policies: string[];
  inputs: object;
  /** `sha256:<hex>` of the inputs' JCS. */
  inputsDigest: string;
}

/** Never throws: facts that cannot be written down are a denial, `ERR_POLICY_FAILED`. */
export function decideTask(policies: ParsedPolicies, request: TaskRequest): TaskDecision {
  const combinations = combinationsOf(request);
  if (combinations === 'too many')
    return deny(
      'ERR_DECLARATION_INVALID',
      'more combinations of agent, tool, dataset and action than are allowed',
      [],
      {},
    );
  let inputs: TaskInputs;
  try {
    const task = taskFacts(request.task);
    inputs = { declarations: combinations.map((combination) => declarationOf(request, combination, task)) };
  } catch {
    return deny('ERR_POLICY_FAILED', 'the facts of the task cannot be stated', [], {});
  }
  return judgeTask(policies, inputs);
}

/** The decision that recorded inputs lead to: the same again with the same policies. */
export function judgeTask(policies: ParsedPolicies, inputs: TaskInputs): TaskDecision {
  const permits = new Set<string>();
  for (const declaration of inputs.declarations) {
    const evaluation = evaluate(policies, declaration);
    switch (evaluation.outcome) {
      case 'permit':
        evaluation.policies.forEach((id) => permits.add(id));
        break;
      case 'deny': {
        const reasons = evaluation.policies.flatMap((id) => policies.rules.get(id)?.reason ?? []);
        const reason = reasons.length === 0 ? 'no policy permits the declaration' : reasons.join('; ');
        return deny('ERR_TASK_FORBIDDEN', reason, evaluation.policies, inputs);
      }
      case 'failed':
        return deny('ERR_POLICY_FAILED', evaluation.problem, evaluation.policies, inputs);
      default:
        return unreachable(evaluation);
    }
  }
  if (inputs.declarations.length === 0) return deny('ERR_TASK_FORBIDDEN', 'nothing is declared', [], inputs);
  return { decision: 'permit', policies: [...permits].sort(), inputs, inputsDigest: inputsDigest(inputs) };
}

interface Combination {
  agent: string;
  tool: string;
  dataset: string | undefined;
  action: string;
}

/** Each combination once, in the order of the declaration. */
function combinationsOf({ agents, declared }: TaskRequest): Combination[] | 'too many' {
  const found = new Map<string, Combination>();
  for (const { tool, dataset, actions, agents: only } of declared)
    for (const agent of only ?? agents)
      for (const action of actions) {
        found.set(JSON.stringify([agent, tool, dataset ?? null, action]), { agent, tool, dataset, action });
        if (found.size > MAX_DECLARED_COMBINATIONS) return 'too many';
      }
  return [...found.values()];
}

function declarationOf(
  { catalogue, orchestrator }: TaskRequest,
  { agent, tool, dataset, action }: Combination,
  task: CedarValueJson,
): CedarRequest {
  return {
    principal: uid('Orchestrator', orchestrator),
    action: uid('Action', 'declareTask'),
    // A tool without a dataset is itself what the work is on.
    resource: dataset === undefined ? uid('Tool', tool) : uid('Dataset', dataset),
    context: { task, agent: entityRef('Agent', agent), tool: entityRef('Tool', tool), verb: action },
    entities: [
      ...orchestratorEntity(catalogue, orchestrator),
      ...agentEntity(catalogue, agent),
      ...toolEntity(catalogue, tool),
      ...(dataset === undefined ? [] : datasetEntity(catalogue, dataset)),
    ],
  };
}

const deny = (
  code: NonNullable<TaskDecision['code']>,
  reason: string,
  policies: string[],
  inputs: object,
): TaskDecision => ({ decision: 'deny', code, reason, policies, inputs, inputsDigest: inputsDigest(inputs) });
