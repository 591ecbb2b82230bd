/**
 * Facts that came after the first schema. The engine is told of those that a set of policies reads, for each costs time in every decision;
 * and of none that its schema lacks, which it would refuse: a policy folder brings a schema of its own, perhaps an older one. Recorded they
 * are all. Pure.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarRequest } from './cedar-request.js';
import { known, nodesOfPolicy } from './expressions.js';
import type { Attributes, SchemaTypes } from './schema-types.js';

const OF_TASKS = ['task.objective', 'task.startedAt', 'task.maxCallsPerMinute'];
const OF_NOW = ['now.callsOfTool', 'now.callsOfDataset', 'now.refused'];
const OF_CALLS = ['argumentsSha256', 'modelName', 'modelVersion', 'modelExpected'];
const OF_AGENTS = ['trust'];

/** By action: where in its context they are. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  callTool: [...OF_TASKS, ...OF_NOW, ...OF_CALLS],
  readDataset: [...OF_TASKS, ...OF_NOW, ...OF_CALLS],
  writeDataset: [...OF_TASKS, ...OF_NOW, ...OF_CALLS],
  renew: [...OF_TASKS, ...OF_NOW],
  declareTask: OF_TASKS,
};

/** What a set of policies is not told of them. */
export interface UntoldFacts {
  /** Paths in the context, by action. */
  inContext: ReadonlyMap<string, ReadonlySet<string>>;
  ofAgents: ReadonlySet<string>;
}

/** @param schema absent where there is none that parses */
export function untoldFacts(policies: readonly PolicyJson[], schema: SchemaTypes | undefined): UntoldFacts {
  const read = new Set(policies.flatMap(namesRead));
  const isTold = (attributes: Attributes, path: string): boolean =>
    read.has(path.split('.').at(-1) ?? '') && schema !== undefined && isIn(attributes, path, schema);
  const untold = (attributes: Attributes, paths: readonly string[]) =>
    new Set(paths.filter((path) => !isTold(attributes, path)));
  return {
    inContext: new Map(
      Object.entries(LATER).map(([id, paths]) => {
        const entity = { type: 'Mayfly::Action', id };
        return [id, untold(schema?.environmentOf({ op: '==', entity }).contexts[0] ?? {}, paths)];
      }),
    ),
    ofAgents: untold(schema?.attributesOf('Mayfly::Agent') ?? {}, OF_AGENTS),
  };
}

/** Names of all attributes that a policy may read, whatever they are of. */
function namesRead(policy: PolicyJson): string[] {
  return nodesOfPolicy(policy).flatMap(({ expr: read }) => {
    const expr = known(read);
    if ('.' in expr) return [expr['.'].attr];
    if ('has' in expr) return [expr.has.attr].flat();
    return 'Record' in expr ? Object.keys(expr.Record) : [];
  });
}

function isIn(attributes: Attributes, path: string, schema: SchemaTypes): boolean {
  const [first = '', member] = path.split('.');
  if (!Object.hasOwn(attributes, first)) return false;
  return member === undefined || Object.hasOwn(schema.recordOf(attributes[first]) ?? {}, member);
}

/** The request as the engine gets it. */
export function toldOf(request: CedarRequest, { inContext, ofAgents }: UntoldFacts): CedarRequest {
  const untold = inContext.get(request.action.id);
  return {
    ...request,
    context: untold === undefined ? request.context : without(request.context, untold, ''),
    entities:
      ofAgents.size === 0
        ? request.entities
        : request.entities.map((entity) => ({ ...entity, attrs: without(entity.attrs, ofAgents, '') })),
  };
}

/** Without the members at these paths, as deep as paths go. */
function without<T extends object>(record: T, paths: ReadonlySet<string>, above: string): T {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([name]) => !paths.has(above + name))
      .map(([name, value]: [string, unknown]) => [
        name,
        above === '' && typeof value === 'object' && value !== null && !Array.isArray(value)
          ? without(value, paths, `${name}.`)
          : value,
      ]),
  ) as T;
}
