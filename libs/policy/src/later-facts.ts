/**
 * Facts that came after the first schema. A policy folder brings a schema of its own, perhaps an older one, and the engine refuses what
 * a schema does not know: such a folder is not told of them, and goes on deciding by what it knows. Pure.
 */
import type { CedarRequest } from './cedar-request.js';
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

/** What a schema lacks of them. */
export interface UnknownFacts {
  /** Only of actions where something is lacking. */
  inContext: ReadonlyMap<string, ReadonlySet<string>>;
  ofAgents: ReadonlySet<string>;
}

export function unknownFacts(schema: SchemaTypes): UnknownFacts {
  const inContext = new Map<string, ReadonlySet<string>>();
  for (const [id, paths] of Object.entries(LATER)) {
    const entity = { type: 'Mayfly::Action', id };
    const [context = {}] = schema.environmentOf({ op: '==', entity }).contexts;
    const unknown = paths.filter((path) => !isIn(context, path, schema));
    if (unknown.length > 0) inContext.set(id, new Set(unknown));
  }
  const attributes = schema.attributesOf('Mayfly::Agent');
  return { inContext, ofAgents: new Set(OF_AGENTS.filter((name) => !Object.hasOwn(attributes, name))) };
}

function isIn(context: Attributes, path: string, schema: SchemaTypes): boolean {
  const [first = '', member] = path.split('.');
  if (!Object.hasOwn(context, first)) return false;
  return member === undefined || Object.hasOwn(schema.recordOf(context[first]) ?? {}, member);
}

/** The request without what the schema lacks; the same one where it lacks nothing. */
export function knownOf(request: CedarRequest, { inContext, ofAgents }: UnknownFacts): CedarRequest {
  const unknown = inContext.get(request.action.id);
  if (unknown === undefined && ofAgents.size === 0) return request;
  return {
    ...request,
    context: unknown === undefined ? request.context : without(request.context, unknown, ''),
    entities: request.entities.map((entity) => ({ ...entity, attrs: without(entity.attrs, ofAgents, '') })),
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
