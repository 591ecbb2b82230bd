/**
 * The order of a story. Topics are read independently, so the log's order across them is the order of arrival; a story is
 * told by the time of append, and no effect is told before its cause.
 */
export interface Told {
  seq: bigint;
  appendedAtMs: number;
  /** `ce_id` of the record. */
  id: string | undefined;
  causedBy: string | undefined;
}

/** A chain of causes longer than this is cut: it would be a cycle, or nonsense. */
const MAX_CHAIN = 64;

export function inOrder<T extends Told>(steps: readonly T[]): T[] {
  const byId = new Map(steps.flatMap((step) => (step.id === undefined ? [] : [[step.id, step] as const])));
  const placed = steps.map((step) => ({ step, ...placeOf(step, byId, 0) }));
  return placed
    .sort((a, b) => a.atMs - b.atMs || a.depth - b.depth || (a.step.seq < b.step.seq ? -1 : 1))
    .map(({ step }) => step);
}

/** Not before its cause, and behind it at the same instant. */
function placeOf(step: Told, byId: Map<string, Told>, links: number): { atMs: number; depth: number } {
  const cause = step.causedBy === undefined ? undefined : byId.get(step.causedBy);
  if (cause === undefined || cause === step || links >= MAX_CHAIN)
    return { atMs: step.appendedAtMs, depth: 0 };
  const before = placeOf(cause, byId, links + 1);
  return step.appendedAtMs > before.atMs
    ? { atMs: step.appendedAtMs, depth: 0 }
    : { atMs: before.atMs, depth: before.depth + 1 };
}
