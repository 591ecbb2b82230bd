/** Flips as a table: who would be turned from what to what, at which act, by which policies, and how many. */
import type { Flip } from '#policy/replay/rejudge.js';

const COLUMNS = ['flips', 'agent', 'act', 'was', 'now', 'by'] as const;

/** The most first. */
export function flipTable(flips: readonly Flip[]): string[] {
  const counts = new Map<string, number>();
  for (const flip of flips) {
    const row = JSON.stringify(rowOf(flip));
    counts.set(row, (counts.get(row) ?? 0) + 1);
  }
  const rows = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([row, count]) => [String(count), ...(JSON.parse(row) as string[])]);
  return aligned([[...COLUMNS], ...rows]);
}

function rowOf({ call, before, after }: Flip): string[] {
  const { agent, tool, dataset, action } = call;
  const act = [tool, ...(dataset === undefined ? [] : [dataset]), action].join(' ');
  return [agent, act, before.decision, after.decision, after.policies.join(', ') || 'no policy'];
}

function aligned(rows: readonly string[][]): string[] {
  const widths = COLUMNS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
