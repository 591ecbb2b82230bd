/**
 * `mayfly policy replay`: which recorded decisions would another policy folder turn? Each call is decided again on the inputs that
 * were kept of it; nothing is issued, and nothing is written.
 */
import { availableParallelism } from 'node:os';
import type { Flip } from '#policy/replay/rejudge.js';
import type { ReplayReport } from '#policy/replay/replay.js';
import { inLettersOf, type WhereOptions } from '../dlq/letters-database.js';
import { CliError } from '../failure.js';
import { countDecisions, recordedDecisions } from '../policy/recorded-decisions.js';
import { sinceOf } from '../policy/since.js';
import { progressOn } from '../progress.js';
import type { CommandContext } from './context.js';
import { policiesIn, policyFolder } from './policy-folder.js';

export interface PolicyReplayOptions extends WhereOptions {
  since: string;
  /** The folder to decide by. */
  policy: string;
}

/** Of the people's form only: programs get them all. */
const SHOWN = 50;

/** @throws CliError ERR_CLI_CHECKS_FAILED for flips, and for inputs that somebody changed */
export async function policyReplay(options: PolicyReplayOptions, context: CommandContext): Promise<void> {
  const { env, output } = context;
  const dir = policyFolder({ dir: options.policy }, env);
  const sinceMs = sinceOf(options.since, Date.now());
  const { digest } = await policiesIn(dir, undefined, context);
  const { replay } = await import('#policy/replay/replay.js');

  const report = await inLettersOf('broker', options, env, async (tx) => {
    const progress = progressOn(process.stderr, await countDecisions(tx, sinceMs));
    try {
      return await replay(recordedDecisions(tx, sinceMs), {
        ...{ dir, threads: Math.max(1, availableParallelism()), onProgress: progress.at },
      });
    } finally {
      progress.end();
    }
  });
  output.answer(textOf(report), { ok: isSame(report), dir, digest, ...report });
  if (!isSame(report))
    throw new CliError(
      'ERR_CLI_CHECKS_FAILED',
      `${report.flips.length} decisions would flip, ${report.altered.length} have inputs that are not theirs`,
    );
}

const isSame = ({ flips, altered }: ReplayReport) => flips.length + altered.length === 0;

function textOf({ calls, flips, altered, notPolicy, inputsGone }: ReplayReport): string {
  const hidden = flips.length - SHOWN;
  return [
    ...flips.slice(0, SHOWN).flatMap(flipLines),
    ...(hidden > 0 ? [`… and ${hidden} more: --json has them all`] : []),
    ...altered.map(
      ({ callId, taskId }) =>
        `altered: the kept inputs of call ${callId} in task ${taskId} are not those decided on`,
    ),
    `${calls} calls: ${flips.length} flips, ${notPolicy} refused before policy was asked, ${inputsGone} without kept inputs, ${altered.length} with altered ones`,
  ].join('\n');
}

const flipLines = ({ call, before, after }: Flip): string[] => [
  `${call.at} ${call.agent} ${call.tool} ${call.dataset ?? ''} ${call.action}`.replaceAll('  ', ' '),
  `  was  ${verdictText(before)}`,
  `  now  ${verdictText(after)}`,
];

const verdictText = ({ decision, policies, reasons }: Flip['before']): string =>
  `${decision} by ${policies.join(', ') || 'no policy'}: ${reasons.join('; ')}`;
