/** The command by which people see standing access, and its options. */
import type { Command } from 'commander';
import type { CommandContext } from '../commands/context.js';
import { SAMPLE_PERSON_OPERATOR } from '../tasks/task-view.js';
import { standingAccess, type StandingAccessOptions } from './standing-access.js';

type Json = { json?: boolean };

export function standingCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
): void {
  command(mayfly, 'standing-access', 'list who can get at governed data at the targets without a lease')
    .option('--target <id>', 'at this target alone')
    .option('--remediate', 'print a script for each target that would take it away: to be read first')
    .option('--as <person>', 'who asks, by the development issuer', SAMPLE_PERSON_OPERATOR)
    .option('--token <file>', 'or the token in this file, of your own issuer')
    .option('--revoker <url>', 'the revoker, where npm start did not start it')
    .action((options: StandingAccessOptions & Json) => standingAccess(options, context(options)));
}
