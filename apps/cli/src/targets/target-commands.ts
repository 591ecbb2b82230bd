/** `mayfly target …` and its options. */
import { Option, type Command } from 'commander';
import type { CommandContext } from '../commands/context.js';
import { ROTATING, targetRotate, type TargetRotateOptions } from './target-rotate.js';

type Json = { json?: boolean };

export function targetCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
  seconds: (text: string) => number,
): void {
  const target = mayfly.command('target').description("Mayfly's own accounts at the targets");
  command(target, 'rotate', 'give our accounts other passwords; leases go on')
    .argument('[target]', 'at this target alone')
    .addOption(new Option('--service <service>', 'the account of this one alone').choices([...ROTATING]))
    .option('--as <name>', 'who gives the order (your login, unless told otherwise)')
    .option('--config <file>', 'the configuration of the services, where npm start did not start them')
    .option('--wait <seconds>', 'how long to wait until it is done', seconds, 30)
    .action((id: string | undefined, options: TargetRotateOptions & Json) =>
      targetRotate(id, options, context(options)),
    );
}
