/** The entities of one request: what they are, and what they are in. */
import { askEngine } from './ask-engine.js';
import type { Fields, Ref, Value } from './value.js';

export interface Entity {
  attrs: Fields;
  /** Keys. */
  parents: readonly string[];
}

export class Entities {
  /** By key: all that it is in, and is not itself. */
  readonly #above = new Map<string, ReadonlySet<string>>();

  /** @param actions which action is in which groups, all of them, by keys: these are the schema's */
  constructor(
    private readonly sent: ReadonlyMap<string, Entity>,
    private readonly actions: ReadonlyMap<string, ReadonlySet<string>>,
  ) {}

  attribute(ref: Ref, name: string): Value {
    return this.#fieldsOf(ref).get(name) ?? askEngine();
  }

  hasAttribute(ref: Ref, name: string): boolean {
    return this.#fieldsOf(ref).has(name);
  }

  /** Is it that entity, or below it? */
  isIn({ key }: Ref, group: Ref): boolean {
    return (
      key === group.key ||
      this.actions.get(key)?.has(group.key) === true ||
      this.#groupsOf(key).has(group.key)
    );
  }

  #groupsOf(key: string): ReadonlySet<string> {
    let found = this.#above.get(key);
    if (found === undefined) this.#above.set(key, (found = this.#findGroups(key)));
    return found;
  }

  #findGroups(key: string): ReadonlySet<string> {
    // A set that grows is gone through to its end.
    const found = new Set(this.sent.get(key)?.parents);
    for (const group of found) for (const parent of this.sent.get(group)?.parents ?? []) found.add(parent);
    // The engine refuses entities that are in themselves.
    return found.has(key) ? askEngine() : found;
  }

  #fieldsOf({ key }: Ref): Fields {
    return (this.sent.get(key) ?? askEngine()).attrs;
  }
}
