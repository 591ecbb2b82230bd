/**
 * `mayfly audit rebuild`: makes the projections anew out of the log, beside those that answer, and has them take their place where they differ; or
 * only compares. With the auditor's own login: it may write projections, and of the log nothing but read it.
 */
import { differing, rebuild, RebuildError, type RebuildReport } from '#projection/rebuild.js';
import type { CommandContext } from '../commands/context.js';
import { withDatabaseOf, type WhereOptions } from '../dlq/letters-database.js';
import { CliError } from '../failure.js';
import { rebuildDocument, rebuildText } from './rebuild-text.js';

export interface AuditRebuildOptions extends WhereOptions {
  /** Changes nothing. */
  check?: boolean;
}

/** @throws CliError ERR_CLI_PROJECTIONS_DIFFER where it only compared, and they do */
export async function auditRebuild(
  options: AuditRebuildOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const check = options.check === true;
  const report = await withDatabaseOf('auditor', options, env, async (db) => {
    try {
      return await rebuild(db, { check });
    } catch (cause) {
      throw cause instanceof RebuildError ? toldOf(cause) : cause;
    }
  });
  output.answer(rebuildText(report, check), rebuildDocument(report, check));
  if (check && !isSame(report))
    throw new CliError(
      'ERR_CLI_PROJECTIONS_DIFFER',
      'the projections are not what the log says: mayfly audit rebuild',
    );
}

const isSame = (report: RebuildReport): boolean => report.samePosition && differing(report) === 0;

const toldOf = (cause: RebuildError): CliError =>
  cause.code === 'ERR_REBUILD_AT_WORK'
    ? new CliError('ERR_CLI_STILL_RUNNING', `${cause.message}: wait until that is done`, { cause })
    : new CliError('ERR_CLI_ANSWER', cause.message, { cause });
