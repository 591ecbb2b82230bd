/** The entities of one request: what they are, and what they are in. */
import { askEngine } from './ask-engine.js';
import type { Fields, Ref, Value } from './value.js';

export interface Entity {
  attrs: Fields;
  /** Keys. */
  parents: readonly string[];
}

export class Entities {
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
      key === group.key || this.actions.get(key)?.has(group.key) === true || this.#isBelow(key, group.key)
    );
  }

  #isBelow(key: string, group: string): boolean {
    const seen = new Set<string>();
    const waiting = [...(this.sent.get(key)?.parents ?? [])];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      if (next === group) return true;
      // The engine refuses entities that are in themselves.
      if (next === key) return askEngine();
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push(...(this.sent.get(next)?.parents ?? []));
    }
    return false;
  }

  #fieldsOf({ key }: Ref): Fields {
    return (this.sent.get(key) ?? askEngine()).attrs;
  }
}
