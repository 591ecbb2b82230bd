/**
 * What is wrong with a declaration, whether a task is started with it or amended to it: all of it at once, so that whoever
 * declares mends it once. Pure; policy is asked only where nothing is wrong.
 */
import type { Catalogue, OrchestratorEntry } from './catalogue.js';
import { mayAssert, type Delegating, type Limits } from './entitlement.js';
import type { TaskStarted } from './inbound.js';
import type { Refusal, RefusalCode } from './refusal.js';
import type { TaskFacts } from './verdict.js';

type Triple = TaskStarted['declared'][number];

/** As far as it can be wrong. */
export interface Declared {
  agents: readonly string[];
  declared: readonly Triple[];
  delegable: NonNullable<TaskStarted['delegable']>;
  /** Those that it names itself. */
  limits: TaskStarted['limits'];
  risk: TaskFacts['risk'];
}

/** A parent, as what its children declare is measured by. */
export interface ParentDeclaration extends Delegating {
  declared: readonly Triple[];
  risk: TaskFacts['risk'];
}

export interface DeclarationFacts {
  /** Who declares. */
  by: string;
  /** Of the orchestrator that bounds the task. */
  entry: OrchestratorEntry;
  catalogue: Catalogue;
  parent: ParentDeclaration | null;
}

const PROBLEMS_TOLD_MAX = 100;

const no = (code: RefusalCode, reason: string, fields?: Refusal['fields']): Refusal =>
  fields === undefined ? { code, reason } : { code, reason, fields };

/** The first problem, which carries them all. Null if there is none. */
export function refusalOf(problems: readonly Refusal[]): Refusal | null {
  const [first] = problems;
  return first === undefined ? null : { ...first, problems: problems.slice(0, PROBLEMS_TOLD_MAX) };
}

/** What the catalogue and the parent say against a declaration of an entitled sender. */
export function declarationProblems(declared: Declared, facts: DeclarationFacts): Refusal[] {
  const { parent } = facts;
  return [
    ...agentProblems(declared, facts),
    ...declared.declared.flatMap((triple) => [
      ...contradictions(triple, declared.agents),
      ...catalogueProblems(triple, facts),
    ]),
    ...declared.delegable.flatMap((triple) => catalogueProblems(triple, facts)),
    ...(parent === null ? [] : delegationProblems(declared, parent, facts.by)),
  ];
}

function agentProblems({ agents }: Declared, { entry, catalogue }: DeclarationFacts): Refusal[] {
  return [...new Set(agents)]
    .filter((agent) => !entry.agents.includes(agent) || !catalogue.agents.has(agent))
    .map((agent) => no('ERR_NOT_ENTITLED', 'an agent that this orchestrator may not declare', { agent }));
}

const contradictions = ({ tool, agents = [] }: Triple, named: readonly string[]): Refusal[] =>
  agents
    .filter((agent) => !named.includes(agent))
    .map((agent) =>
      no('ERR_DECLARATION_INVALID', 'a declared agent is not among the agents of the task', { tool, agent }),
    );

function catalogueProblems(
  { tool, dataset, actions }: Pick<Triple, 'tool' | 'dataset' | 'actions'>,
  { entry, catalogue }: DeclarationFacts,
): Refusal[] {
  const problems: Refusal[] = [];
  const toolEntry = catalogue.tools.get(tool);
  if (toolEntry === undefined) problems.push(no('ERR_TOOL_UNKNOWN', 'a tool nobody knows', { tool }));
  if (dataset === undefined) {
    if (toolEntry !== undefined && toolEntry.dataset !== 'none')
      problems.push(no('ERR_DECLARATION_INVALID', 'this tool needs a dataset', { tool }));
    return problems;
  }
  const datasetEntry = catalogue.datasets.get(dataset);
  if (datasetEntry === undefined)
    return [...problems, no('ERR_DATASET_UNKNOWN', 'a dataset nobody knows', { dataset })];
  if (!entry.datasets.includes(dataset))
    problems.push(no('ERR_NOT_ENTITLED', 'a dataset that this orchestrator may not declare', { dataset }));
  for (const action of actions.filter((each) => !datasetEntry.actions.has(each)))
    problems.push(no('ERR_DECLARATION_INVALID', 'an action this dataset does not have', { dataset, action }));
  return problems;
}

const LIMITS: readonly (keyof Limits)[] = ['maxCalls', 'maxRows', 'maxCallsPerMinute'];
const RISKS: readonly TaskFacts['risk'][] = ['low', 'medium', 'high'];

/** A child's declaration, and what it passes on in turn, is inside what its parent may delegate. */
function delegationProblems(child: Declared, parent: ParentDeclaration, by: string): Refusal[] {
  const problems: Refusal[] = [];
  if (LIMITS.some((limit) => (child.limits?.[limit] ?? 0) > (parent.limits[limit] ?? Infinity)))
    problems.push(no('ERR_NOT_DELEGABLE', 'higher limits than the parent task has'));
  // Or the work that policy watches closely is handed on as harmless.
  if (RISKS.indexOf(child.risk) < RISKS.indexOf(parent.risk))
    problems.push(no('ERR_NOT_DELEGABLE', 'a lower risk than the parent task has'));
  for (const triple of [...child.declared, ...child.delegable]) {
    if (!triple.actions.every((action) => covers(parent.delegable, triple, action)))
      problems.push(no('ERR_NOT_DELEGABLE', 'more than the parent task may delegate', namesOf(triple)));
  }
  for (const triple of child.declared) {
    if (!(triple.agents ?? child.agents).includes(by)) continue;
    if (!triple.actions.every((action) => covers(ownOf(parent, by), triple, action)))
      problems.push(
        no('ERR_NOT_DELEGABLE', 'who may pass something on may not pass it on to itself', namesOf(triple)),
      );
  }
  return problems;
}

/** What an agent may itself use in a task. */
const ownOf = ({ declared, agents }: ParentDeclaration, agent: string): Triple[] =>
  declared.filter((triple) => (triple.agents ?? agents).includes(agent));

const covers = (
  triples: readonly Pick<Triple, 'tool' | 'dataset' | 'actions'>[],
  { tool, dataset }: Pick<Triple, 'tool' | 'dataset'>,
  action: string,
): boolean =>
  triples.some((each) => each.tool === tool && each.dataset === dataset && each.actions.includes(action));

const namesOf = ({ tool, dataset }: Pick<Triple, 'tool' | 'dataset'>) => ({
  tool,
  ...(dataset === undefined ? {} : { dataset }),
});

/** Who declares a task, and whether its principal has signed in. */
interface Declaring {
  id: string;
  principalProved?: boolean;
}

/**
 * A child runs for whom its parent runs, unless an orchestrator names somebody else: who has signed in, or for whom it may give its
 * word. An agent may name nobody.
 */
export function principalProblems(
  { principal }: Pick<TaskStarted, 'principal'>,
  sender: Declaring,
  catalogue: Catalogue,
  parent: Delegating | null,
): Refusal[] {
  if (parent !== null && principal.id === parent.principal) return [];
  const own = catalogue.orchestrators.get(sender.id);
  if (own !== undefined && (sender.principalProved === true || mayAssert(own, principal.id))) return [];
  return [no('ERR_NOT_ENTITLED', 'a principal that this orchestrator may not speak for')];
}
