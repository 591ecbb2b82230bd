/**
 * A request's facts as values, by the types of the schema. The engine refuses a request that does not fit its schema; here what does not
 * fit to the letter, in the one form in which we write facts, is left to the engine.
 */
import type { CedarValueJson, EntityJson, SchemaJson, Type } from '@cedar-policy/cedar-wasm/nodejs';
import type { CedarRequest } from '../cedar-request.js';
import { askEngine } from './ask-engine.js';
import { Entities, type Entity } from './entities.js';
import type { Facts } from './expression.js';
import { refOf } from './scope.js';
import { datetimeOf, type Fields, Ref, type Value } from './value.js';

type AnyType = Type<string>;
type Read = (json: CedarValueJson) => Value;
type ReadFields = (json: CedarValueJson) => Fields;

interface EntityKind {
  parentTypes: ReadonlySet<string>;
  read: ReadFields;
}
interface ActionKind {
  principals: ReadonlySet<string>;
  resources: ReadonlySet<string>;
  read: ReadFields;
}

export class FactReader {
  readonly #kinds = new Map<string, EntityKind>();
  /** Types of which all entities are named in the schema. */
  readonly #enums = new Map<string, ReadonlySet<string>>();
  readonly #actions = new Map<string, ActionKind>();
  /** The groups that each action is in, all of them. */
  readonly #groups = new Map<string, ReadonlySet<string>>();

  /** @param schema with resolved types: every name is whole, `Mayfly::Human`. */
  constructor(private readonly schema: SchemaJson<string>) {
    for (const [namespace, { entityTypes, actions }] of Object.entries(schema)) {
      const whole = (name: string) => (namespace === '' ? name : `${namespace}::${name}`);
      for (const [name, type] of Object.entries(entityTypes))
        if ('enum' in type) this.#enums.set(whole(name), new Set(type.enum));
        else
          this.#kinds.set(whole(name), {
            parentTypes: new Set(type.memberOfTypes ?? []),
            read: this.#fieldsOf(type.shape),
          });
      const keyOf = (id: string) => new Ref(whole('Action'), id).key;
      const groupsOf = (id: string): string[] =>
        (actions[id]?.memberOf ?? []).flatMap((group) => [keyOf(group.id), ...groupsOf(group.id)]);
      for (const [id, { appliesTo }] of Object.entries(actions)) {
        this.#groups.set(keyOf(id), new Set(groupsOf(id)));
        if (appliesTo !== undefined)
          this.#actions.set(keyOf(id), {
            principals: new Set(appliesTo.principalTypes),
            resources: new Set(appliesTo.resourceTypes),
            read: this.#fieldsOf(appliesTo.context),
          });
      }
    }
  }

  /** @throws ASK_ENGINE */
  read(request: CedarRequest): Facts {
    const [principal, action, resource] = [request.principal, request.action, request.resource].map(
      refOf,
    ) as [Ref, Ref, Ref];
    const kind = this.#actions.get(action.key) ?? askEngine();
    if (!kind.principals.has(principal.type) || !kind.resources.has(resource.type)) askEngine();
    if (!this.#kinds.has(principal.type) || !this.#kinds.has(resource.type)) askEngine();
    return {
      ...{ principal, action, resource },
      context: kind.read(request.context),
      entities: new Entities(this.#entities(request.entities), this.#groups),
    };
  }

  #entities(given: readonly EntityJson[]): ReadonlyMap<string, Entity> {
    const entities = new Map<string, Entity>();
    for (const { uid, attrs, parents, ...more } of given) {
      const ref = refOf(uid);
      const kind = this.#kinds.get(ref.type);
      const refs = parents.map(refOf);
      if (kind === undefined || entities.has(ref.key) || Object.keys(more).length > 0) return askEngine();
      if (refs.some(({ type }) => !kind.parentTypes.has(type) || !this.#kinds.has(type))) return askEngine();
      entities.set(ref.key, { attrs: kind.read(attrs), parents: refs.map(({ key }) => key) });
    }
    return entities;
  }

  /** Of a record, also of one that has a name of its own, or none. */
  #fieldsOf(type: AnyType | undefined): ReadFields {
    if (type === undefined) return fieldReader([], new Set());
    if (type.type !== 'Record') {
      const named = this.#named(type.type);
      return named === undefined ? askEngine : this.#fieldsOf(named);
    }
    const { attributes = {} } = type as { attributes?: Record<string, AnyType & { required?: boolean }> };
    const members = Object.entries(attributes);
    return fieldReader(
      members.map(([name, each]) => [name, this.#readerOf(each)]),
      new Set(members.flatMap(([name, { required = true }]) => (required ? [name] : []))),
    );
  }

  #readerOf(type: AnyType): Read {
    switch (type.type) {
      case 'Bool':
      case 'Boolean':
        return (json) => (typeof json === 'boolean' ? json : askEngine());
      case 'Long':
        return (json) => (typeof json === 'number' && Number.isSafeInteger(json) ? json : askEngine());
      case 'String':
        return (json) => (typeof json === 'string' ? json : askEngine());
      case 'Set': {
        const element = this.#readerOf((type as { element: AnyType }).element);
        return (json) => (Array.isArray(json) ? json.map(element) : askEngine());
      }
      case 'Entity':
        return this.#referenceTo((type as { name: string }).name);
      case 'Extension':
        return (type as { name: string }).name === 'datetime' ? readDatetime : askEngine;
      case 'Record':
        return this.#fieldsOf(type);
      default: {
        const named = this.#named(type.type);
        if (named !== undefined) return this.#readerOf(named);
        return type.type === 'datetime' ? readDatetime : askEngine;
      }
    }
  }

  #referenceTo(type: string): Read {
    return (json) => {
      const { type: given, id } = only(json, '__entity') as { type?: unknown; id?: unknown };
      const ids = this.#enums.get(type);
      if (given !== type || typeof id !== 'string' || ids?.has(id) === false) return askEngine();
      return new Ref(type, id);
    };
  }

  #named(name: string): AnyType | undefined {
    const at = name.lastIndexOf('::');
    return this.schema[at < 0 ? '' : name.slice(0, at)]?.commonTypes?.[at < 0 ? name : name.slice(at + 2)];
  }
}

function fieldReader(
  members: readonly (readonly [string, Read])[],
  required: ReadonlySet<string>,
): ReadFields {
  const readers = new Map(members);
  return (json) => {
    if (typeof json !== 'object' || json === null || Array.isArray(json)) return askEngine();
    const fields = new Map<string, Value>();
    let missing = required.size;
    for (const [name, value] of Object.entries(json)) {
      fields.set(name, (readers.get(name) ?? askEngine())(value as CedarValueJson));
      if (required.has(name)) missing -= 1;
    }
    return missing === 0 ? fields : askEngine();
  };
}

function readDatetime(json: CedarValueJson): Value {
  const { fn, arg, ...more } = only(json, '__extn') as { fn?: unknown; arg?: unknown };
  if (fn !== 'datetime' || typeof arg !== 'string' || Object.keys(more).length > 0) return askEngine();
  return datetimeOf(arg);
}

/** The one member that a value of this form has. */
function only(json: CedarValueJson, member: string): object {
  if (typeof json !== 'object' || json === null) return askEngine();
  const entries = Object.entries(json);
  const [name, value] = entries[0] ?? [];
  if (entries.length !== 1 || name !== member || typeof value !== 'object' || value === null)
    return askEngine();
  return value as object;
}
