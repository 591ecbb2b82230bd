/**
 * The facts of a decision, out of the catalogue and the task, in the words of `schema.cedarschema`. Pure.
 * Flat and few: the engine copies them for every decision, so only the entities that a request names are sent.
 */
import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { AgentEntry, Catalogue } from '#events/catalogue.js';
import { entityRef, uid } from './cedar-request.js';

/** What the task's own events say of it. Times are epoch milliseconds. What is absent is not sent: it is optional in the schema. */
export interface TaskContext {
  taskId: string;
  /** SPIFFE id of the sender of `task.started`. */
  orchestrator: string;
  /** The principal, `user:maria@corp.example`. */
  onBehalfOf: string;
  purpose: string;
  risk: string;
  /** SHA-256 of the full instruction, in hex. */
  objectiveSha256?: string;
  startedAtMs?: number;
  deadlineMs: number;
  /** 0 for a task without a parent. */
  depth: number;
  maxCalls: number;
  maxRows: number;
  maxCallsPerMinute?: number | undefined;
}

/** What holds at this moment. */
export interface NowContext {
  atMs: number;
  /** Calls and rows of the task, so far. */
  calls: number;
  callsLastMinute: number;
  /** Of the tool and the dataset at hand, so far; a call that waits for people is not among them yet. */
  callsOfTool?: number;
  callsOfDataset?: number;
  /** Calls of the task that were denied. */
  refused?: number;
  rows: number;
  /** 0 to 100. */
  drift: number;
  renewals: number;
  /** `none`, `requested`, `approved` or `refused`, for exactly this call. */
  approval: string;
  approvers: readonly string[];
}

interface Model {
  name: string;
  version?: string | undefined;
}

/** Nobody checks it. */
export interface CallContext {
  argumentsSha256?: string | undefined;
  model?: Model | undefined;
}

export function taskFacts(task: TaskContext): CedarValueJson {
  return {
    onBehalfOf: entityRef('Human', task.onBehalfOf),
    purpose: task.purpose,
    risk: task.risk,
    deadline: datetime(task.deadlineMs),
    depth: whole(task.depth),
    maxCalls: whole(task.maxCalls),
    maxRows: whole(task.maxRows),
    ...given('objective', task.objectiveSha256),
    ...given('startedAt', task.startedAtMs, datetime),
    ...given('maxCallsPerMinute', task.maxCallsPerMinute, whole),
  };
}

export function nowFacts(now: NowContext): CedarValueJson {
  const approvers = [...new Set(now.approvers)].sort();
  return {
    at: datetime(now.atMs),
    drift: whole(now.drift),
    calls: whole(now.calls),
    callsLastMinute: whole(now.callsLastMinute),
    rows: whole(now.rows),
    renewals: whole(now.renewals),
    approval: now.approval,
    approvers: approvers.map((person) => entityRef('Human', person)),
    // Cedar has no size of a set.
    approverCount: approvers.length,
    ...given('callsOfTool', now.callsOfTool, whole),
    ...given('callsOfDataset', now.callsOfDataset, whole),
    ...given('refused', now.refused, whole),
  };
}

/** What a call says of itself, and whether its agent may run that model. */
export function callFacts(
  { argumentsSha256, model }: CallContext,
  agent: AgentEntry | undefined,
): Record<string, CedarValueJson> {
  return {
    ...given('argumentsSha256', argumentsSha256),
    ...given('modelName', model?.name),
    ...given('modelVersion', model?.version),
    ...given('modelExpected', agent?.models && isAmong(agent.models, model)),
  };
}

/** A model that is not said is none of them: or it would be enough to keep silent. */
const isAmong = (models: readonly Model[], said: Model | undefined): boolean =>
  models.some(
    ({ name, version }) => name === said?.name && (version === undefined || version === said.version),
  );

function given<T extends CedarValueJson>(
  name: string,
  value: T | undefined,
  stated: (value: T) => CedarValueJson = (each) => each,
): Record<string, CedarValueJson> {
  return value === undefined ? {} : { [name]: stated(value) };
}

/** Empty for one that the catalogue does not know: the evaluation then misses it, and fails. */
export function agentEntity({ agents }: Catalogue, id: string): EntityJson[] {
  const agent = agents.get(id);
  if (agent === undefined) return [];
  const { owner, environment, attested, trust, groups } = agent;
  const attrs = { owner, environment, attested, ...given('trust', trust, whole) };
  return [entity('Agent', id, attrs, 'AgentGroup', groups)];
}

export function toolEntity({ tools }: Catalogue, id: string): EntityJson[] {
  const tool = tools.get(id);
  if (tool === undefined) return [];
  return [entity('Tool', id, { risk: whole(tool.risk), external: tool.external }, 'ToolGroup', tool.groups)];
}

export function datasetEntity({ datasets }: Catalogue, id: string): EntityJson[] {
  const dataset = datasets.get(id);
  if (dataset === undefined) return [];
  const { residency, pii, domains } = dataset;
  const classification = entityRef('Classification', dataset.classification);
  return [entity('Dataset', id, { classification, residency, pii }, 'Domain', domains)];
}

export function orchestratorEntity({ orchestrators }: Catalogue, id: string): EntityJson[] {
  const orchestrator = orchestrators.get(id);
  if (orchestrator === undefined) return [];
  const { owner, tenant, groups } = orchestrator;
  return [entity('Orchestrator', id, { owner, tenant }, 'OrchestratorGroup', groups)];
}

function entity(
  type: string,
  id: string,
  attrs: EntityJson['attrs'],
  groupType: string,
  groups: readonly string[],
): EntityJson {
  return { uid: uid(type, id), attrs, parents: groups.map((group) => uid(groupType, group)) };
}

/** @throws RangeError for what the engine would refuse or round: fractions, and numbers from 2^53. */
function whole(value: number): number {
  if (!Number.isSafeInteger(value)) throw new RangeError('a fact is no whole number below 2^53');
  return value;
}

/** @throws RangeError for a time that is none. */
const datetime = (atMs: number): CedarValueJson => ({
  __extn: { fn: 'datetime', arg: new Date(atMs).toISOString() },
});
