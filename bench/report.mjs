/** The figures of a kept result, in docs/reference/performance.md between its marks. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { round1 } from './stats.mjs';

const BEGIN = '<!-- figures: npm run bench writes what is between these marks -->';
const END = '<!-- end of figures -->';

export function report(root, results) {
  const file = join(root, 'docs', 'reference', 'performance.md');
  const text = readFileSync(file, 'utf8');
  const [before] = text.split(BEGIN);
  const after = text.split(END)[1] ?? '';
  writeFileSync(file, `${before}${BEGIN}\n\n${figures(results)}\n\n${END}${after}`);
}

function figures({ at, commit, machine, raw, cases, alone = {} }) {
  const { cpus, model, memoryGiB, node, platform } = machine;
  const rows = Object.entries(cases).flatMap(([name, figures]) =>
    Object.entries(figures).map(
      ([what, { median, min, max }]) =>
        `| \`${name}\` | ${what} | ${round1(median)} | ${round1(min)} … ${round1(max)} |`,
    ),
  );
  const limits = [['', { raw }], ...Object.entries(alone)].flatMap(([name, run]) => limitsOf(name, run.raw));
  return [
    `${at.slice(0, 10)}, commit \`${commit}\`: ${cpus} × ${model}, ${memoryGiB} GiB, Node ${node}, ${platform}.`,
    '',
    '| raw limit of the same run | |',
    '|---|---|',
    ...limits,
    '',
    '| case | figure | median | least … most |',
    '|---|---|---|---|',
    ...rows,
  ].join('\n');
}

/** @param name of the case that ran alone beside them; none where all cases did */
const limitsOf = (name, raw) =>
  Object.entries(raw).map(([what, value]) => {
    const said = typeof value === 'number' ? value : `p50 ${value.p50Ms} ms, p99 ${value.p99Ms} ms`;
    return `| ${name === '' ? '' : `\`${name}\`: `}${what} | ${said} |`;
  });
