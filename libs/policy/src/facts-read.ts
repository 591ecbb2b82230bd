/**
 * The facts that policies can read at all, by name. The engine takes apart whatever it is sent, and that is most of what a decision costs:
 * so it is sent no member that no policy names, and is told a schema without it. Pure.
 */
import type { CedarValueJson, EntityJson, PolicyJson, SchemaJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarRequest } from './cedar-request.js';
import { known, nodesOfPolicy } from './expressions.js';
import { memberTypes, type SchemaTypes } from './schema-types.js';

/** Null: all of them, because a record is used as a whole. */
export type NamesRead = ReadonlySet<string> | null;

/** Names of members that any of the policies reads or looks for, in whatever it reads them. */
export function namesRead(
  policies: readonly PolicyJson[],
  schema: SchemaJson<string>,
  types: SchemaTypes,
): NamesRead {
  const members = memberTypes(schema);
  const isRecord = (name: string) =>
    members.some((member) => member.name === name && types.recordOf(member.type) !== undefined);
  // Sets of records are compared as wholes.
  if (members.some(({ type }) => type.type === 'Set')) {
    const elements = members.flatMap(({ type }) => ('element' in type ? [type.element] : []));
    if (elements.some((element) => types.recordOf(element) !== undefined || element.type === 'Set'))
      return null;
  }
  const nodes = policies.flatMap(nodesOfPolicy).map(({ op, expr }) => ({ op, expr: known(expr) }));
  const opened = new Set<unknown>();
  const names = new Set<string>();
  for (const { expr } of nodes) {
    if ('.' in expr) {
      opened.add(expr['.'].left);
      names.add(expr['.'].attr);
    } else if ('has' in expr) {
      opened.add(expr.has.left);
      for (const name of [expr.has.attr].flat()) names.add(name);
    }
  }
  const isWhole = nodes.some(
    ({ op, expr }) =>
      op === 'Record' ||
      (!opened.has(expr) &&
        (('Var' in expr && expr.Var === 'context') || ('.' in expr && isRecord(expr['.'].attr)))),
  );
  if (isWhole) return null;
  // What a policy looks for and its schema lacks is not there: facts may be younger than a folder's schema.
  const inSchema = new Set(members.map(({ name }) => name));
  return new Set([...names].filter((name) => inSchema.has(name)));
}

export function requestWith(names: NamesRead, request: CedarRequest): CedarRequest {
  if (names === null) return request;
  return {
    ...request,
    context: membersWith(names, request.context),
    entities: request.entities.map((entity): EntityJson => ({
      ...entity,
      attrs: membersWith(names, entity.attrs),
    })),
  };
}

type Members = Record<string, CedarValueJson>;

function membersWith(names: ReadonlySet<string>, members: Members): Members {
  const kept: Members = {};
  for (const name of Object.keys(members))
    if (names.has(name)) kept[name] = valueWith(names, members[name] as CedarValueJson);
  return kept;
}

function valueWith(names: ReadonlySet<string>, value: CedarValueJson): CedarValueJson {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return '__entity' in value || '__extn' in value ? value : membersWith(names, value);
}

/** Every record of the schema without the members that have no such name. */
export function schemaWith(names: NamesRead, schema: SchemaJson<string>): SchemaJson<string> {
  return names === null ? schema : (recordsWith(names, schema) as SchemaJson<string>);
}

function recordsWith(names: ReadonlySet<string>, part: unknown): unknown {
  if (Array.isArray(part)) return part.map((each) => recordsWith(names, each));
  if (typeof part !== 'object' || part === null) return part;
  const whole = Object.entries(part) as [string, unknown][];
  return Object.fromEntries(
    whole.map(([key, value]) => {
      const isRecordsMembers = key === 'attributes' && 'type' in part && part.type === 'Record';
      const kept = isRecordsMembers
        ? Object.fromEntries(Object.entries(value as object).filter(([name]) => names.has(name)))
        : value;
      return [key, recordsWith(names, kept)];
    }),
  );
}
