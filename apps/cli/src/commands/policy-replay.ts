/**
 * `mayfly policy replay`: which recorded decisions would another policy folder turn? Each call is decided again on the inputs that
 * were kept of it, once the log has confirmed the record; nothing is issued, and nothing is written.
 */
import { availableParallelism } from 'node:os';
import type { ReplayReport } from '#policy/replay/replay.js';
import type { AuditorClient } from '../auditor-client.js';
import { auditorOf, type AsReader } from '../auditor-of.js';
import { inLettersOf, type WhereOptions } from '../dlq/letters-database.js';
import { CliError } from '../failure.js';
import { againstTheLog, type LogFindings, noFindings } from '../policy/against-the-log.js';
import { countDecisions, recordedDecisions } from '../policy/recorded-decisions.js';
import { isClean, textOf } from '../policy/replay-text.js';
import { sinceOf } from '../policy/since.js';
import { progressOn } from '../progress.js';
import type { CommandContext } from './context.js';
import { policiesIn, policyFolder } from './policy-folder.js';

export interface PolicyReplayOptions extends WhereOptions, AsReader {
  since: string;
  /** The folder to decide by. */
  policy: string;
  /** False: the log is not asked. */
  log: boolean;
  /** Cedar decides every call. */
  exact?: boolean;
}

/** @throws CliError ERR_CLI_CHECKS_FAILED for flips, for inputs that somebody changed, and for records that the log does not confirm */
export async function policyReplay(options: PolicyReplayOptions, context: CommandContext): Promise<void> {
  const { env, output } = context;
  const dir = policyFolder({ dir: options.policy }, env);
  const sinceMs = sinceOf(options.since, Date.now());
  const { digest } = await policiesIn(dir, undefined, context);
  const auditor = options.log ? await logOf(options, env) : null;
  const log = auditor === null ? null : noFindings();

  const report = await inLettersOf('broker', options, env, async (tx) => {
    const progress = progressOn(process.stderr, await countDecisions(tx, sinceMs));
    const kept = recordedDecisions(tx, sinceMs);
    try {
      return await replayed(
        auditor === null || log === null ? kept : againstTheLog(kept, auditor, log),
        { dir, by: options.exact === true ? 'engine' : 'compiled' },
        progress.at,
      );
    } finally {
      progress.end();
    }
  });
  const ok = isClean(report, log);
  output.answer(textOf(report, log), { ok, dir, digest, ...report, log });
  if (!ok) throw new CliError('ERR_CLI_CHECKS_FAILED', summaryOf(report, log));
}

async function replayed(
  batches: Parameters<typeof import('#policy/replay/replay.js').replay>[0],
  how: { dir: string; by: 'engine' | 'compiled' },
  onProgress: (calls: number) => void,
): Promise<ReplayReport> {
  const { replay } = await import('#policy/replay/replay.js');
  try {
    return await replay(batches, { ...how, threads: Math.max(1, availableParallelism()), onProgress });
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_REPLAY_DISAGREEMENT')
      throw new CliError(
        'ERR_CLI_ANSWER',
        'the quick reading of these policies is not what Cedar says: run it again with --exact, and tell us',
        { cause: error },
      );
    throw error;
  }
}

async function logOf(options: PolicyReplayOptions, env: NodeJS.ProcessEnv): Promise<AuditorClient> {
  if (options.auditor === undefined && options.config !== undefined)
    throw new CliError('ERR_CLI_USAGE', 'say where the log is, --auditor <url>, or do without it, --no-log');
  return await auditorOf(options, env);
}

function summaryOf({ flips, altered }: ReplayReport, log: LogFindings | null): string {
  const unconfirmed = log === null ? 0 : log.absent.length + log.differ.length;
  return `${flips.length} decisions would flip, ${altered.length} have inputs that are not theirs, ${unconfirmed} are not what the log has`;
}
