/** What services wrote into their logs that was more than news. */
import { readFileSync } from 'node:fs';

/** As our logs name them. */
const ABOVE_NEWS = new Set(['warn', 'error', 'fatal']);
const SHOWN = 40;

/** @returns the last lines of a service's log at `warn` or above, written since then */
export function warningsOf(service, file, sinceMs) {
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => read(line) ?? [])
    .filter(({ level, atMs }) => ABOVE_NEWS.has(level) && atMs >= sinceMs)
    .slice(-SHOWN)
    .map(({ atMs, line }) => `${new Date(atMs).toISOString().slice(11, 23)} ${service} ${line}`);
}

/** @returns null where it is no line of our log */
function read(line) {
  try {
    const { level, time, ...rest } = JSON.parse(line);
    return { level, atMs: new Date(time).getTime(), line: JSON.stringify(rest).slice(0, 400) };
  } catch {
    return null;
  }
}
