/** `mayfly audit verify`: is every entry of a bundle in the log, as a trusted key signed it? Offline: a file, and nothing else. */
import { readFile } from 'node:fs/promises';
import { verifyBundleAt } from '#bundle/files/verify-bundle-at.js';
import { MerkleError, type Checkpoint } from '#bundle/merkle.js';
import { openTrusted, parseTrust, type Trust } from '#bundle/trust.js';
import type { BundleReport } from '#bundle/verify-bundle.js';
import { BundleError } from '#bundle/errors.js';
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { findingText, reportDocument, reportText } from './report-text.js';

export interface AuditVerifyOptions {
  /** File that says whose signatures count. */
  policy: string;
  /** File with an earlier checkpoint. */
  since?: string;
}

/** @throws CliError ERR_CLI_NOT_PROVEN for what was altered, ERR_CLI_NOT_JUDGED where that cannot be said, ERR_CLI_FILE */
export async function auditVerify(
  bundle: string,
  { policy, since }: AuditVerifyOptions,
  { output }: CommandContext,
): Promise<void> {
  const trust = trustIn(await read(policy), policy);
  const then = since === undefined ? undefined : checkpointIn(await read(since), trust, since);
  const report = await reportOn(bundle, trust, then);
  output.answer(reportText(report), reportDocument(report));
  const [first] = report.findings;
  switch (report.verdict) {
    case 'good':
      return;
    case 'altered':
      throw new CliError('ERR_CLI_NOT_PROVEN', `refused: ${first ? findingText(first) : ''}`);
    case 'unjudged':
      throw new CliError('ERR_CLI_NOT_JUDGED', `it cannot be judged: ${first ? findingText(first) : ''}`);
  }
}

async function reportOn(bundle: string, trust: Trust, then: Checkpoint | undefined): Promise<BundleReport> {
  try {
    return await verifyBundleAt(bundle, trust, then);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new CliError('ERR_CLI_FILE', `\`${bundle}\` cannot be read (${code})`, { cause });
  }
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new CliError('ERR_CLI_FILE', `\`${file}\` cannot be read`, { cause });
  }
}

function trustIn(text: string, file: string): Trust {
  try {
    return parseTrust(text);
  } catch (cause) {
    if (!(cause instanceof BundleError)) throw cause;
    throw new CliError('ERR_CLI_FILE', `\`${file}\`: ${cause.message}`, { cause });
  }
}

/** What an auditor kept has to be the log's word too, or nothing follows from it. */
function checkpointIn(note: string, trust: Trust, file: string): Checkpoint {
  try {
    return openTrusted(note, trust, 'earlier checkpoint');
  } catch (cause) {
    if (!(cause instanceof BundleError) && !(cause instanceof MerkleError)) throw cause;
    throw new CliError('ERR_CLI_FILE', `\`${file}\` is not a checkpoint that a trusted key signed`, {
      cause,
    });
  }
}
