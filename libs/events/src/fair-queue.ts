/**
 * A queue in which nobody waits for the long line of somebody else: groups take turns, and in each group its members. A member's own
 * items stay in their order. Pure.
 */
export class FairQueue<T> {
  /** By group, by member; whose turn is next comes first. */
  readonly #groups = new Map<string, Map<string, T[]>>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(group: string, member: string, item: T): void {
    const members = this.#groups.get(group) ?? new Map<string, T[]>();
    const items = members.get(member) ?? [];
    items.push(item);
    members.set(member, items);
    this.#groups.set(group, members);
    this.#length += 1;
  }

  /** Of whom it is the turn; undefined when nobody waits. */
  shift(): T | undefined {
    const [next] = this.#groups;
    if (next === undefined) return undefined;
    const [group, members] = next;
    const [first] = members;
    if (first === undefined) throw new Error('a group without members waits');
    const [member, items] = first;
    const item = items.shift();
    this.#length -= 1;
    // Who had a turn stands at the end of the line.
    members.delete(member);
    if (items.length > 0) members.set(member, items);
    this.#groups.delete(group);
    if (members.size > 0) this.#groups.set(group, members);
    return item;
  }

  /** Whether anything of this group, or of this member of it, waits. */
  has(group: string, member?: string): boolean {
    const members = this.#groups.get(group);
    return member === undefined ? members !== undefined : members?.has(member) === true;
  }

  clear(): void {
    this.#groups.clear();
    this.#length = 0;
  }
}
