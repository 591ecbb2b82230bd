/** Reach as people read it: one line for each agent and tool, and below them what is left of the policies. */
import { counted } from '../commands/policy-folder.js';
import type { Reach, ReachAnswer, Residual } from '#policy/reach/who-can.js';

export function reachText(reach: readonly Reach[]): string {
  const rows = reach.map((each) => [each.agent, each.tool, ANSWERS[each.answer], groundOf(each)]);
  const conditions = conditionLines(reach);
  return [
    ...aligned(rows),
    ...(conditions.length === 0 ? [] : ['', 'conditions', ...conditions]),
    '',
    tally(reach),
  ].join('\n');
}

const ANSWERS: Record<ReachAnswer, string> = {
  always: 'always',
  under_conditions: 'under conditions',
  never: 'never',
};

function groundOf({ answer, policies, residuals, closed, problem }: Reach): string {
  if (problem !== undefined) return problem;
  if (answer === 'never')
    return policies.length > 0
      ? `forbidden by ${policies.join(', ')}`
      : `no policy permits the ${WHAT[closed ?? 'both']}`;
  const of = (which: (residual: Residual) => boolean) => [
    ...new Set(residuals.filter(which).map(({ id }) => id)),
  ];
  const parts: [string, string[]][] = [
    ['by', policies],
    ['if', of(({ effect }) => effect === 'permit')],
    ['with an approval, for', of(({ approval }) => approval !== null)],
    ['unless', of(({ effect, approval }) => effect === 'forbid' && approval === null)],
  ];
  return parts.flatMap(([word, ids]) => (ids.length === 0 ? [] : [`${word} ${ids.join(', ')}`])).join('; ');
}

const WHAT: Record<NonNullable<Reach['closed']>, string> = {
  tool: 'tool',
  dataset: 'dataset',
  both: 'tool, nor the dataset',
};

/** Each once: mostly the same is left for every agent. */
function conditionLines(reach: readonly Reach[]): string[] {
  const all = reach.flatMap(({ residuals }) => residuals);
  const lines = all.map(({ id, effect, text }) => `  ${id} ${effect}s ${text}`);
  return [...new Set(lines)].sort();
}

function aligned(rows: readonly string[][]): string[] {
  const width = (column: number) => Math.max(0, ...rows.map((row) => row[column]?.length ?? 0));
  const widths = [0, 1, 2].map(width);
  return rows.map((row) =>
    row
      .map((cell, column) => (column < widths.length ? cell.padEnd(widths[column] ?? 0) : cell))
      .join('  ')
      .trimEnd(),
  );
}

function tally(reach: readonly Reach[]): string {
  const many = (answer: ReachAnswer) => reach.filter((each) => each.answer === answer).length;
  const agents = new Set(reach.map(({ agent }) => agent)).size;
  const tools = new Set(reach.map(({ tool }) => tool)).size;
  return `${counted(agents, 'agent')}, ${counted(tools, 'tool')}: ${many('always')} always, ${many('under_conditions')} under conditions, ${many('never')} never`;
}
