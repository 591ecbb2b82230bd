/** Reading a leaf's event for a sentence. Members may be missing: sealed, unknown, or of an older version. */
import type { Json } from '../leaf/project.js';

export class Facts {
  constructor(
    private readonly event: Json | undefined,
    private readonly opened: ReadonlyMap<string, unknown>,
  ) {}

  /** A text, number or boolean at a path of members, or `?`. */
  text(...path: string[]): string {
    const value = this.at(...path);
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : '?';
  }

  has(...path: string[]): boolean {
    const value = this.at(...path);
    return value !== undefined && value !== null;
  }

  list(...path: string[]): Json[] {
    const value = this.at(...path);
    return Array.isArray(value) ? value : [];
  }

  /** A value that only a commitment stands for in the leaf; `(erased)` once it cannot be opened any more. */
  sealed(pointer: string): string {
    const value = this.opened.get(pointer);
    return typeof value === 'string' ? `“${value}”` : '(erased)';
  }

  private at(...path: string[]): Json | undefined {
    let value = this.event;
    for (const member of path) {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
      value = Object.hasOwn(value, member) ? value[member] : undefined;
    }
    return value;
  }
}

/** `spiffe://dev.mayfly/agent/analyst` is called `agent/analyst`, a pseudonym by its first characters. */
export function nameOf(id: string): string {
  if (id.startsWith('person:')) return `person ${id.slice('person:'.length, 'person:'.length + 8)}…`;
  return /^spiffe:\/\/[^/]+\/(.+)$/.exec(id)?.[1] ?? id.replace(/^\/\/mayfly\//, '');
}
