/**
 * Reach: which agents could do something with a dataset, through which tools, were a task to declare it? The engine's partial
 * evaluation (experimental), with the task and the moment unknown. It answers in words, and nothing can be issued from it.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Catalogue } from '#events/catalogue.js';
import { cedar } from '../cedar.js';
import { type CedarRequest, entityRef, missingEntity, uid } from '../cedar-request.js';
import { conditionText } from '../explain/condition-text.js';
import { agentEntity, datasetEntity, toolEntity } from '../facts.js';
import type { ParsedPolicies } from '../parse-policies.js';
import { conditionsLeft } from './simplify.js';

export interface ReachQuestion {
  catalogue: Catalogue;
  dataset: string;
  action: string;
  /** All that serve the dataset, unless told. */
  tools: readonly string[];
  agents: readonly string[];
}

/** `always`: whatever the task is, and whatever has happened · `never`: no task and no approval opens it. */
export type ReachAnswer = 'always' | 'under_conditions' | 'never';

/** What is left of a policy once agent, tool and dataset are known. */
export interface Residual {
  id: string;
  effect: 'permit' | 'forbid';
  /** On a forbid: the approval that lifts it. */
  approval: string | null;
  /** `when { … }`, as Cedar writes it. */
  text: string;
}

export interface Reach {
  agent: string;
  tool: string;
  answer: ReachAnswer;
  /** Policies that decide whatever else holds: of `never` the forbids, none where nothing could permit. */
  policies: string[];
  /** Of `never`: which of the two questions it is that nothing opens. */
  closed?: 'tool' | 'dataset' | 'both';
  /** Of both questions: one permit of each that needs one has to hold, and no forbid may. */
  residuals: Residual[];
  /** A policy that failed, so that whoever asks is denied. */
  problem?: string;
}

/** Tools that serve a dataset for an action: those that need a dataset, and have the action. */
export const toolsFor = ({ tools }: Catalogue, action: string): string[] =>
  [...tools.values()]
    .filter((tool) => tool.dataset === 'required' && tool.actions.includes(action))
    .map(({ id }) => id);

/** Requires names that the catalogue has. @returns agent by agent, in the order given, each with each tool */
export function whoCan(policies: ParsedPolicies, question: ReachQuestion): Reach[] {
  return question.agents.flatMap((agent) =>
    question.tools.map((tool) => reachOf(policies, question, agent, tool)),
  );
}

function reachOf(
  policies: ParsedPolicies,
  { catalogue, dataset, action }: ReachQuestion,
  agent: string,
  tool: string,
): Reach {
  const cedarAction = catalogue.datasets.get(dataset)?.actions.get(action)?.cedar;
  if (cedarAction === undefined) throw new TypeError('the dataset has no such action');
  const principal = uid('Agent', agent);
  const entities = [
    ...agentEntity(catalogue, agent),
    ...toolEntity(catalogue, tool),
    ...datasetEntity(catalogue, dataset),
  ];
  const onTool = part(policies, {
    ...{ principal, action: uid('Action', 'callTool'), resource: uid('Tool', tool), entities },
    context: { ...UNKNOWN, verb: action, dataset: entityRef('Dataset', dataset) },
  });
  const onDataset = part(policies, {
    ...{ principal, action: uid('Action', cedarAction), resource: uid('Dataset', dataset), entities },
    context: { ...UNKNOWN, tool: entityRef('Tool', tool) },
  });
  return combined(agent, tool, onTool, onDataset);
}

const unknown = (name: string) => ({ __extn: { fn: 'unknown', arg: name } });
const UNKNOWN = { task: unknown('task'), now: unknown('now') };

interface Part {
  answer: ReachAnswer;
  policies: string[];
  residuals: Residual[];
  problem?: string;
}

function part(policies: ParsedPolicies, request: CedarRequest): Part {
  if (missingEntity(request) !== undefined) return failed('an entity is missing');
  try {
    const answer = cedar.isAuthorizedPartial({
      ...request,
      schema: policies.schema,
      policies: { staticPolicies: { ...policies.texts } },
      // Nothing that is unknown fits a schema.
      validateRequest: false,
    });
    if (answer.type === 'failure') return failed('the engine cannot say');
    const { decision, errored, satisfied, residuals, nontrivialResiduals } = answer.response;
    // At the call a policy that fails is a denial, too.
    if (errored.length > 0) return failed(`a policy fails: ${[...errored].sort().join(', ')}`);
    const holding = (effect: Residual['effect']) =>
      satisfied.filter((id) => policies.rules.get(id)?.effect === effect).sort();
    if (decision === 'deny') return { answer: 'never', policies: holding('forbid'), residuals: [] };
    const permits = holding('permit');
    if (decision === 'allow') return { answer: 'always', policies: permits, residuals: [] };
    const left = [...nontrivialResiduals].sort().flatMap((id) => residualOf(policies, id, residuals[id]));
    return opened(permits, left);
  } catch {
    return failed('the engine failed');
  }
}

const failed = (problem: string): Part => ({ answer: 'never', policies: [], residuals: [], problem });

function residualOf(policies: ParsedPolicies, id: string, json: PolicyJson | undefined): Residual[] {
  const rule = policies.rules.get(id);
  const conditions = json === undefined ? null : conditionsLeft(json);
  if (rule === undefined || conditions === null) return [];
  const { effect, approval } = rule;
  return [{ id, effect, approval, text: conditions.map(conditionText).join(' ') }];
}

/** A residual without a condition holds, whatever is not known. */
function opened(satisfied: readonly string[], left: readonly Residual[]): Part {
  const settledBy = (effect: Residual['effect']) =>
    left.filter((each) => each.effect === effect && each.text === '').map(({ id }) => id);
  const closing = settledBy('forbid');
  if (closing.length > 0) return { answer: 'never', policies: closing, residuals: [] };
  const permits = unique([...satisfied, ...settledBy('permit')]);
  // Where a permit holds anyhow, another one changes nothing.
  const residuals = left.filter(
    ({ effect, text }) => text !== '' && (effect === 'forbid' || permits.length === 0),
  );
  if (permits.length === 0 && !residuals.some(({ effect }) => effect === 'permit'))
    return { answer: 'never', policies: [], residuals: [] };
  return { answer: residuals.length === 0 ? 'always' : 'under_conditions', policies: permits, residuals };
}

function combined(agent: string, tool: string, onTool: Part, onDataset: Part): Reach {
  const parts = [onTool, onDataset];
  const closed = parts.filter(({ answer }) => answer === 'never');
  const problem = closed.flatMap((each) => each.problem ?? [])[0];
  if (closed.length > 0)
    return {
      ...{ agent, tool, answer: 'never', policies: unique(closed.flatMap(({ policies }) => policies)) },
      closed: closed.length === 2 ? 'both' : closed[0] === onTool ? 'tool' : 'dataset',
      residuals: [],
      ...(problem === undefined ? {} : { problem }),
    };
  return {
    agent,
    tool,
    answer: parts.every(({ answer }) => answer === 'always') ? 'always' : 'under_conditions',
    policies: unique(parts.flatMap(({ policies }) => policies)),
    residuals: distinct(parts.flatMap(({ residuals }) => residuals)),
  };
}

const unique = (ids: readonly string[]): string[] => [...new Set(ids)].sort();

/** A guard over all actions leaves the same of itself in both questions. */
const distinct = (residuals: readonly Residual[]): Residual[] => [
  ...new Map(residuals.map((each) => [`${each.id} ${each.text}`, each])).values(),
];
