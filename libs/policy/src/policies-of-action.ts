/**
 * What of a set can have a say in one action. The engine copies policies and schema for every decision, so it is given no more: a policy
 * whose scope leaves the action out is neither satisfied nor asked, and other actions are nothing to the request.
 */
import type { ActionType, PolicyJson, SchemaJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import { cedar } from './cedar.js';
import { namesRead, type NamesRead, schemaWith } from './facts-read.js';
import type { ParsedPolicies } from './parse-policies.js';
import type { ScopedPolicy } from './policies-in-scope.js';
import { isMeant, SchemaTypes } from './schema-types.js';

export interface PoliciesOfAction {
  schema: SchemaJson<string>;
  /** Policy text by `@id`. */
  texts: Record<string, string>;
  /** The same, as Cedar reads them. */
  policies: ScopedPolicy[];
  /** The facts that they can read. */
  names: NamesRead;
}

/** @throws Error if the engine refuses a schema that was parsed before. Undefined for an action that the schema does not have. */
export function policiesOfAction(
  { schema, schemaJson, texts, contents }: ParsedPolicies,
  action: TypeAndId,
): PoliciesOfAction | undefined {
  const namespace = action.type.replace(/::Action$/, '');
  const actions = Object.hasOwn(schemaJson, namespace) ? schemaJson[namespace]?.actions : undefined;
  if (actions === undefined || !Object.hasOwn(actions, action.id)) return undefined;
  const chain = withGroups(actions, action);
  const keys = chain.map((id) => JSON.stringify([action.type, id]));
  const kept = [...contents]
    .map(([id, content]) => ({ id, policy: JSON.parse(content) as PolicyJson }))
    .filter(({ policy }) => isMeant(policy.action, keys));
  const resolved = cedar.schemaToJsonWithResolvedTypes(schema);
  if (resolved.type === 'failure') throw new Error('engine refused a parsed schema');
  const names = namesRead(
    kept.map(({ policy }) => policy),
    resolved.json,
    new SchemaTypes(resolved.json),
  );
  return {
    schema: schemaWith(names, onlyWith(schemaJson, namespace, chain)),
    texts: Object.fromEntries(kept.map(({ id }) => [id, texts[id] ?? ''])),
    policies: kept,
    names,
  };
}

/** Ids of the action and of every group that it is in. */
function withGroups(actions: Record<string, ActionType<string>>, { id }: TypeAndId): string[] {
  const found = new Set([id]);
  for (const each of found) for (const group of actions[each]?.memberOf ?? []) found.add(group.id);
  return [...found];
}

function onlyWith(schema: SchemaJson<string>, namespace: string, ids: readonly string[]): SchemaJson<string> {
  const whole = schema[namespace];
  if (whole === undefined) return schema;
  const actions = Object.fromEntries(Object.entries(whole.actions).filter(([id]) => ids.includes(id)));
  return { ...schema, [namespace]: { ...whole, actions } };
}
