/**
 * One question to the engine, whole: everything the answer depends on besides the policies. Kept under its digest for replay,
 * so it is plain JSON.
 */
import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';

export interface CedarRequest {
  principal: TypeAndId;
  action: TypeAndId;
  resource: TypeAndId;
  context: Record<string, CedarValueJson>;
  entities: EntityJson[];
}

export const uid = (type: string, id: string): TypeAndId => ({ type: `Mayfly::${type}`, id });
export const entityRef = (type: string, id: string) => ({ __entity: uid(type, id) });

/** Types whose attributes or groups policies read. Groups and people are only compared, and need not be sent. */
const SENT = new Set(['Agent', 'Tool', 'Dataset', 'Orchestrator', 'Task'].map((type) => `Mayfly::${type}`));

/** Whether an entity of this type that a request names is in it, or else the request is never decided. */
export const isSent = (type: string): boolean => SENT.has(type);

/**
 * An entity that the request names and does not bring. The engine does not complain: to it a missing entity is in no group,
 * and a guard on the group is silently off.
 */
export function missingEntity(request: CedarRequest): TypeAndId | undefined {
  const sent = new Set(request.entities.map(({ uid }) => keyOf('__entity' in uid ? uid.__entity : uid)));
  const named = [request.principal, request.resource, ...Object.values(request.context).flatMap(references)];
  return named.find((entity) => isSent(entity.type) && !sent.has(keyOf(entity)));
}

const keyOf = ({ type, id }: TypeAndId) => JSON.stringify([type, id]);

function references(value: CedarValueJson): TypeAndId[] {
  if (typeof value !== 'object' || value === null) return [];
  if (isReference(value)) return [value.__entity];
  return Object.values(value).flatMap((inner) => references(inner));
}

const isReference = (value: object): value is { __entity: TypeAndId } => '__entity' in value;
