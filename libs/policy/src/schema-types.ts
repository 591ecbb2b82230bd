/** The types of a schema, looked up: what `principal`, `resource`, `context` and their attributes are. Pure. */
import type { ActionConstraint, SchemaJson, Type } from '@cedar-policy/cedar-wasm/nodejs';

type AnyType = Type<string>;
export type Attributes = Readonly<Record<string, AnyType>>;

/** What a policy may be asked about: everything that an action it speaks of applies to. */
export interface Environment {
  principals: string[];
  resources: string[];
  contexts: Attributes[];
}

export class SchemaTypes {
  /** @param schema with resolved types: every name is whole, `Mayfly::Human`. */
  constructor(private readonly schema: SchemaJson<string>) {}

  environmentOf(constraint: ActionConstraint): Environment {
    const applies = this.#actions().flatMap(({ id, groups, appliesTo }) =>
      appliesTo !== undefined && isMeant(constraint, [id, ...groups]) ? [appliesTo] : [],
    );
    return {
      principals: [...new Set(applies.flatMap(({ principalTypes }) => principalTypes))],
      resources: [...new Set(applies.flatMap(({ resourceTypes }) => resourceTypes))],
      contexts: applies.map(({ context }) => this.recordOf(context) ?? {}),
    };
  }

  /** Attributes of an entity type; empty for one that has none. */
  attributesOf(entityType: string): Attributes {
    const [namespace, name] = split(entityType);
    const type = this.schema[namespace]?.entityTypes[name];
    const shape = type === undefined || 'enum' in type ? undefined : type.shape;
    return this.recordOf(shape) ?? {};
  }

  /** Members of a record, also of one that has a name of its own; undefined for what is no record. */
  recordOf(type: AnyType | undefined): Attributes | undefined {
    if (type === undefined) return undefined;
    if (type.type === 'Record') return (type as { attributes?: Attributes }).attributes ?? {};
    const [namespace, name] = split(type.type);
    return this.recordOf(this.schema[namespace]?.commonTypes?.[name]);
  }

  #actions() {
    return Object.entries(this.schema).flatMap(([namespace, { actions }]) => {
      const whole = (id: string) => ({ type: namespace === '' ? 'Action' : `${namespace}::Action`, id });
      const groupsOf = (id: string): string[] =>
        (actions[id]?.memberOf ?? []).flatMap((group) => [group.id, ...groupsOf(group.id)]);
      return Object.entries(actions).map(([id, { appliesTo }]) => ({
        id: keyOf(whole(id)),
        groups: groupsOf(id).map((group) => keyOf(whole(group))),
        appliesTo,
      }));
    });
  }
}

/** Every member of every record in the schema, wherever it is. */
export function memberTypes(part: unknown): { name: string; type: AnyType }[] {
  if (typeof part !== 'object' || part === null) return [];
  const own =
    'type' in part && part.type === 'Record' && 'attributes' in part
      ? Object.entries(part.attributes as Attributes).map(([name, type]) => ({ name, type }))
      : [];
  return [...own, ...Object.values(part).flatMap(memberTypes)];
}

/** @param action keys of it and of its groups: `JSON.stringify([type, id])` */
export function isMeant(constraint: ActionConstraint, action: readonly string[]): boolean {
  if (constraint.op === 'All') return true;
  if ('slot' in constraint) return true;
  const meant = 'entities' in constraint ? constraint.entities : [constraint.entity];
  return meant.some((entity) => action.includes(keyOf('__entity' in entity ? entity.__entity : entity)));
}

const keyOf = ({ type, id }: { type: string; id: string }) => JSON.stringify([type, id]);

function split(name: string): [namespace: string, name: string] {
  const at = name.lastIndexOf('::');
  return at < 0 ? ['', name] : [name.slice(0, at), name.slice(at + 2)];
}
