/** How far a task has drifted, as a table for people. */
import type { ShownDrift } from './shown-drift.js';

const HEAD = ['declared', 'requested', 'granted', 'refused', 'waiting', 'used', 'rows', 'agent', 'act'];
const NUMBERS = 7;

export function driftText({
  taskId,
  state,
  generation,
  suspendedFor,
  score,
  signals,
  rows,
  unattributed,
  counted,
}: ShownDrift): string {
  const causes = suspendedFor.length === 0 ? '' : ` (${suspendedFor.join(', ')})`;
  return [
    `task ${taskId}: ${state}${causes}, generation ${generation}; drift ${score} of 100`,
    ...signals.map(
      ({ signal, agent, count, firstAt, lastAt }) =>
        `  ${signal} by ${nameOf(agent)}: ${count === 1 ? `once, ${lastAt}` : `${count} times, ${firstAt} to ${lastAt}`}`,
    ),
    '',
    ...aligned([HEAD, ...rows.map(cellsOf)]),
    ...(unattributed.reports === 0
      ? []
      : ['', `reports of no call in this table: ${unattributed.reports}, with ${unattributed.rows} rows`]),
    ...(counted.complete ? [] : ['', `counted: the newest ${counted.events} events; there are earlier ones`]),
  ].join('\n');
}

function cellsOf(row: ShownDrift['rows'][number]): string[] {
  const { agent, tool, dataset, action, declared, requested, granted, refused, waiting, used, rows } = row;
  const numbers = [requested, granted, refused, waiting, used, rows].map((n) => (n === 0 ? '-' : String(n)));
  const act = dataset === undefined ? `${action} with ${tool}` : `${action} ${dataset} with ${tool}`;
  return [declared ? 'yes' : 'NO', ...numbers, agent === undefined ? 'any' : nameOf(agent), act];
}

/** `spiffe://dev.mayfly/agent/analyst` is called `agent/analyst`. */
const nameOf = (id: string): string => /^spiffe:\/\/[^/]+\/(.+)$/.exec(id)?.[1] ?? id;

/** Numbers to the right, words to the left. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widthOf = (column: number) => Math.max(...lines.map((cells) => (cells[column] ?? '').length));
  const widths = HEAD.map((_name, column) => widthOf(column));
  return lines.map((cells) =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return column > 0 && column < NUMBERS ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}
