/** What is exported from the log, and verified without it. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandContext } from '../commands/context.js';
import { auditExport, FORMATS, type AuditExportOptions } from './audit-export.js';
import { auditRebuild, type AuditRebuildOptions } from './audit-rebuild.js';
import { auditVerify, type AuditVerifyOptions } from './audit-verify.js';

type Json = { json?: boolean };

export function auditCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
): void {
  const audit = mayfly.command('audit').description('the log: what it holds, and that it holds');
  command(audit, 'export', 'keep a range of the log in a file that can be verified without Mayfly')
    .requiredOption('--out <file>', 'where; nothing may be there yet')
    .option('--from <seq>', 'the first entry', seqOf, 0)
    .option('--to <seq>', 'the entry behind the last (all that is signed, unless told)', seqOf)
    .option('--since <checkpoint>', 'an earlier checkpoint, that the bundle is to prove the log extends')
    .option(
      '--cosigned <witnesses>',
      'as of the newest checkpoint that so many witnesses have seen',
      witnessesOf,
    )
    .addOption(
      new Option('--format <format>', 'a bundle; or its leaves, or its table, alone')
        .choices(FORMATS)
        .default('bundle'),
    )
    .option('--no-csv', 'a bundle without the table for people')
    .option('--auditor <url>', 'where the log is asked, where npm start did not start it')
    .option('--token <file>', 'a token of a reader of the log, where the development issuer is not theirs')
    .action((options: AuditExportOptions & Json) => auditExport(options, context(options)));
  command(audit, 'verify', 'say whether every entry of a bundle is in the log, offline')
    .argument('<bundle>', 'the file, or the folder that it was unpacked to')
    .requiredOption('--policy <trust>', 'the trust file: whose signatures count (C2SP tlog-policy)')
    .option('--since <checkpoint>', 'an earlier checkpoint of yours, that the log has to extend')
    .action((bundle: string, options: AuditVerifyOptions & Json) =>
      auditVerify(bundle, options, context(options)),
    );
  command(audit, 'rebuild', 'make the projections anew out of the log, and put right what differs')
    .option('--check', 'change nothing: say what differs')
    .option('--config <file>', 'the configuration of the auditor, where npm start did not start it')
    .action((options: AuditRebuildOptions & Json) => auditRebuild(options, context(options)));
}

function witnessesOf(text: string): number {
  if (!/^(0|[1-9][0-9]?)$/.test(text)) throw new InvalidArgumentError('a number of witnesses is wanted');
  return Number(text);
}

function seqOf(text: string): number {
  if (!/^(0|[1-9][0-9]{0,14})$/.test(text)) throw new InvalidArgumentError('a number of an entry is wanted');
  return Number(text);
}
