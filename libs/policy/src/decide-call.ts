/**
 * May this agent act with this tool on this dataset, now? Two decisions, and both must permit. The walls of the design
 * (task live, agent named, inside the declaration, …) are the caller's and come first; nothing here can lift them.
 */
import type { Catalogue } from '#events/catalogue.js';
import type { Check } from '#events/outbound.js';
import type { RefusalCode } from '#events/refusal.js';
import { type CedarRequest, entityRef, uid } from './cedar-request.js';
import { type CallInputs, inputsDigest } from './decision-inputs.js';
import type { Evaluate } from './evaluate.js';
import {
  agentEntity,
  type CallContext,
  callFacts,
  datasetEntity,
  nowFacts,
  type NowContext,
  type TaskContext,
  taskFacts,
  toolEntity,
} from './facts.js';
import { NO_OBLIGATIONS, type Obligations, obligationsOf, strongest } from './obligations.js';
import type { ParsedPolicies } from './parse-policies.js';
import { type Part, partOf } from './call-part.js';

export interface CallRequest extends CallContext {
  catalogue: Catalogue;
  /** SPIFFE id. */
  agent: string;
  tool: string;
  dataset?: string;
  action: string;
  task: TaskContext;
  now: NowContext;
}

export interface CallDecision {
  decision: 'permit' | 'deny' | 'approval_required';
  /** Present unless permitted. */
  code?: Extract<
    RefusalCode,
    'ERR_TOOL_FORBIDDEN' | 'ERR_DATASET_FORBIDDEN' | 'ERR_APPROVAL_REQUIRED' | 'ERR_POLICY_FAILED'
  >;
  /** `tool_policy`, and `dataset_policy` where there is a dataset. */
  checks: Check[];
  /** Words for the caller: why not, or on what ground. */
  reasons: string[];
  obligations: Obligations;
  inputs: object;
  /** `sha256:<hex>` of the inputs' JCS. */
  inputsDigest: string;
}

/**
 * Never throws: facts that cannot be written down are a denial, `ERR_POLICY_FAILED`.
 * @param ask the engine, unless told otherwise
 */
export function decideCall(policies: ParsedPolicies, request: CallRequest, ask?: Evaluate): CallDecision {
  let inputs: CallInputs;
  try {
    inputs = callInputs(request);
  } catch {
    return conclude(
      { kind: 'failed', policies: [], reason: 'the facts of the call cannot be stated' },
      null,
      {},
      inputsDigest({}),
    );
  }
  return judgeCall(policies, inputs, inputsDigest(inputs), ask);
}

/**
 * The decision that recorded inputs lead to: the same again with the same policies.
 * @param digest of the inputs, where it is known @param ask the engine, unless told otherwise
 */
export function judgeCall(
  policies: ParsedPolicies,
  inputs: CallInputs,
  digest = inputsDigest(inputs),
  ask?: Evaluate,
): CallDecision {
  const tool = partOf(policies, inputs.tool, ask);
  const dataset = inputs.dataset === null ? null : partOf(policies, inputs.dataset, ask);
  return conclude(tool, dataset, inputs, digest);
}

/**
 * @throws RangeError for numbers that Cedar cannot hold, TypeError for a call that the catalogue contradicts: a dataset
 * where the tool has none or none where it needs one (`callTool` alone would decide), or an action that it does not list.
 */
function callInputs(request: CallRequest): CallInputs {
  const { catalogue, agent, tool, dataset, action, task, now } = request;
  const known = catalogue.tools.get(tool);
  if (known !== undefined && (known.dataset === 'required') !== (dataset !== undefined))
    throw new TypeError('a dataset is missing, or one too many');
  if (known !== undefined && !known.actions.includes(action))
    throw new TypeError('the tool has no such action');

  const principal = uid('Agent', agent);
  const said = callFacts(request, catalogue.agents.get(agent));
  const context = { task: taskFacts(task), now: nowFacts(now), ...said };
  const actors = [...agentEntity(catalogue, agent), ...toolEntity(catalogue, tool)];
  const onTool = {
    principal,
    action: uid('Action', 'callTool'),
    resource: uid('Tool', tool),
    context: { ...context, verb: action },
    entities: actors,
  };
  if (dataset === undefined) return { tool: onTool, dataset: null };

  const cedarAction = catalogue.datasets.get(dataset)?.actions.get(action)?.cedar;
  if (cedarAction === undefined) throw new TypeError('the dataset has no such action');
  const entities = [...actors, ...datasetEntity(catalogue, dataset)];
  const onDataset: CedarRequest = {
    principal,
    action: uid('Action', cedarAction),
    resource: uid('Dataset', dataset),
    context: { ...context, tool: entityRef('Tool', tool) },
    entities,
  };
  return {
    tool: { ...onTool, context: { ...onTool.context, dataset: entityRef('Dataset', dataset) }, entities },
    dataset: onDataset,
  };
}

function conclude(tool: Part, dataset: Part | null, inputs: object, digest: string): CallDecision {
  const parts = dataset === null ? [tool] : [tool, dataset];
  const checks = parts.map((part, index) => checkOf(index === 0 ? 'tool_policy' : 'dataset_policy', part));
  const against = parts.filter(({ kind }) => kind !== 'permit');
  const common = {
    checks,
    reasons: (against.length > 0 ? against : parts).map(({ reason }) => reason),
    obligations: NO_OBLIGATIONS,
    inputs,
    inputsDigest: digest,
  };
  const permits = parts.flatMap((part) => (part.kind === 'permit' ? part.permits : []));
  const approvals = parts.flatMap((part) => (part.kind === 'needs_approval' ? part.approvals : []));

  if (parts.some(({ kind }) => kind === 'failed'))
    return { decision: 'deny', code: 'ERR_POLICY_FAILED', ...common };
  if (tool.kind === 'deny') return { decision: 'deny', code: 'ERR_TOOL_FORBIDDEN', ...common };
  if (dataset?.kind === 'deny') return { decision: 'deny', code: 'ERR_DATASET_FORBIDDEN', ...common };
  if (approvals.length > 0)
    return {
      decision: 'approval_required',
      code: 'ERR_APPROVAL_REQUIRED',
      ...common,
      obligations: { ...NO_OBLIGATIONS, approval: strongest(approvals) },
    };
  return { decision: 'permit', ...common, obligations: obligationsOf(permits) };
}

const checkOf = (check: string, part: Part): Check => ({
  check,
  ok: part.kind === 'permit',
  policies: part.policies,
  reason: part.reason,
});
