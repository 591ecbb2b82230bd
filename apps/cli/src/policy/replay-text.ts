/** What a replay found, for people. */
import type { Flip } from '#policy/replay/rejudge.js';
import type { ReplayReport } from '#policy/replay/replay.js';
import type { LogFindings, Named } from './against-the-log.js';
import { flipTable } from './flip-table.js';

/** Programs get them all. */
const SHOWN = 50;

export function isClean({ flips, altered }: ReplayReport, log: LogFindings | null): boolean {
  return flips.length + altered.length + (log === null ? 0 : log.absent.length + log.differ.length) === 0;
}

/** @param log null: it was not asked */
export function textOf(report: ReplayReport, log: LogFindings | null): string {
  const { calls, byEngine, flips, altered, notPolicy, inputsGone } = report;
  const hidden = flips.length - SHOWN;
  const { absent, differ } = log ?? { absent: [], differ: [] };
  return [
    ...flips.slice(0, SHOWN).flatMap(flipLines),
    ...(hidden > 0 ? [`… and ${hidden} more: --json has them all`] : []),
    ...(flips.length > 0 ? ['', ...flipTable(flips), ''] : []),
    ...altered.map((call) => `altered: the kept inputs of ${nameOf(call)} are not those decided on`),
    ...differ.map(
      (call) => `differs from the log: the record of ${nameOf(call)} is not the one that was told`,
    ),
    ...absent.map((call) => `not in the log: the record of ${nameOf(call)}`),
    `${calls} calls: ${flips.length} flips, ${notPolicy} refused before policy was asked, ${inputsGone} without kept inputs, ${altered.length} with altered ones`,
    `decided by Cedar itself: ${byEngine}`,
    log === null ? 'the log was not asked' : logLine(log),
  ].join('\n');
}

const logLine = ({ confirmed, pending, absent, differ }: LogFindings): string =>
  `the log confirms ${confirmed}, does not have ${absent.length}, has ${differ.length} otherwise; ${pending} are too young to be in it`;

const nameOf = ({ callId, taskId }: Pick<Named, 'callId' | 'taskId'>): string =>
  `call ${callId} in task ${taskId}`;

const flipLines = ({ call, before, after }: Flip): string[] => [
  `${call.at} ${call.agent} ${call.tool} ${call.dataset ?? ''} ${call.action}`.replaceAll('  ', ' '),
  `  was  ${verdictText(before)}`,
  `  now  ${verdictText(after)}`,
];

const verdictText = ({ decision, policies, reasons }: Flip['before']): string =>
  `${decision} by ${policies.join(', ') || 'no policy'}: ${reasons.join('; ')}`;
