/** What came of projections that were made anew, for people and for programs. */
import { differing, type RebuildReport } from '#projection/rebuild.js';
import type { Row } from '#projection/tables.js';

export function rebuildText(report: RebuildReport, check: boolean): string {
  const { size, tables, samePosition } = report;
  const [rows, some] = [tables.reduce((sum, table) => sum + table.rows, 0), differing(report)];
  const verdict =
    some > 0
      ? `${some} rows ${check ? 'differ' : 'differed, and were replaced'}`
      : samePosition
        ? 'all as they were'
        : `of other rules${check ? '' : ', and were replaced'}`;
  return [
    `${rows} rows made of ${size} entries: ${verdict}`,
    ...tables.flatMap(({ table, first, differing: many }) => [
      ...first.map(({ key, live, rebuilt }) => `${table} ${key.join(' ')}: ${difference(live, rebuilt)}`),
      ...(many > first.length ? [`${table}: and ${many - first.length} more`] : []),
    ]),
  ].join('\n');
}

function difference(live: Row | null, rebuilt: Row | null): string {
  if (live === null) return 'missing';
  if (rebuilt === null) return 'of no entry';
  return columnsIn(live, rebuilt)
    .map((column) => `${column} ${text(live, column)}, of the log ${text(rebuilt, column)}`)
    .join('; ');
}

const text = (row: Row, column: string): string => JSON.stringify(row[column] ?? null);

const columnsIn = (live: Row, rebuilt: Row): string[] =>
  Object.keys(rebuilt).filter((column) => text(live, column) !== text(rebuilt, column));

export const rebuildDocument = (report: RebuildReport, check: boolean): object => ({
  ok: !check || (report.samePosition && differing(report) === 0),
  ...{ checked: check, size: String(report.size), samePosition: report.samePosition },
  tables: report.tables,
});
