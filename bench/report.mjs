/** The figures of each case when it was last run, in docs/reference/performance.md between its marks. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { round1 } from './stats.mjs';

const BEGIN = '<!-- figures: npm run bench writes what is between these marks -->';
const END = '<!-- end of figures -->';

export function report(root) {
  const file = join(root, 'docs', 'reference', 'performance.md');
  const text = readFileSync(file, 'utf8');
  const [before] = text.split(BEGIN);
  const after = text.split(END)[1] ?? '';
  const shown = figures(newestOf(join(root, 'bench', 'results')));
  writeFileSync(file, `${before}${BEGIN}\n\n${shown}\n\n${END}${after}`);
}

/** By case: its figures, and the run that they are of. */
function newestOf(folder) {
  const days = readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')));
  const newest = new Map();
  for (const { cases, alone = {}, ...run } of days)
    for (const [name, figures] of Object.entries(cases)) newest.set(name, { run, ...alone[name], figures });
  return [...newest].map(([name, { figures, run, ...by }]) => [name, figures, { ...run, ...by }]);
}

function figures(cases) {
  return [
    '| case | run | raw limits of that run |',
    '|---|---|---|',
    ...cases.map(([name, , { at, commit, raw, machine }]) => {
      const { cpus, node } = machine;
      return `| \`${name}\` | ${at.slice(0, 10)}, \`${commit}\`, ${cpus} × ${machine.model}, Node ${node} | ${limits(raw)} |`;
    }),
    '',
    '| case | figure | median | least … most |',
    '|---|---|---|---|',
    ...cases.flatMap(([name, figures]) =>
      Object.entries(figures).map(
        ([what, { median, min, max }]) =>
          `| \`${name}\` | ${what} | ${round1(median)} | ${round1(min)} … ${round1(max)} |`,
      ),
    ),
  ].join('\n');
}

const limits = (raw) =>
  Object.entries(raw)
    .map(([what, value]) =>
      typeof value === 'number'
        ? `${what}: ${value}`
        : `${what}: p50 ${value.p50Ms} ms, p99 ${value.p99Ms} ms`,
    )
    .join('; ');
