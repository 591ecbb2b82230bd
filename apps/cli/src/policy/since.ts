/** How far back: `30d`, `12h`, `45m`, or a moment (RFC 3339). */
import { CliError } from '../failure.js';

const UNIT_MS: Record<'d' | 'h' | 'm', number> = { d: 86_400_000, h: 3_600_000, m: 60_000 };

/** @returns epoch milliseconds. @throws CliError ERR_CLI_USAGE */
export function sinceOf(text: string, nowMs: number): number {
  const [, count, unit] = /^([1-9]\d{0,4})([dhm])$/.exec(text) ?? [];
  if (count !== undefined) return nowMs - Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  const moment = /^\d{4}-\d{2}-\d{2}(T|$)/.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(moment))
    throw new CliError(
      'ERR_CLI_USAGE',
      '--since is a number of days, hours or minutes such as 30d, or a moment',
    );
  return moment;
}
