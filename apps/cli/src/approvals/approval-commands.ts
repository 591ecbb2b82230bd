/** The commands on approvals and their options. */
import { Option, type Command } from 'commander';
import type { AsPerson } from '../service-door.js';
import type { CommandContext } from '../commands/context.js';
import {
  approvalsList,
  approve,
  loginToken,
  SAMPLE_APPROVER,
  takeBack,
  type ApproveOptions,
} from './approvals.js';

type Json = { json?: boolean };

export function approvalCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
  seconds: (text: string) => number,
): void {
  command(mayfly, 'login-token', "mint a person's token of the development issuer")
    .requiredOption('--as <person>', 'who signs in, such as user:olga@corp.example')
    .option('--ttl <seconds>', 'time to live, at most 300', seconds, 300)
    .action((options: { as: string; ttl: number } & Json) => loginToken(options, context(options)));

  const asPerson = (each: Command) =>
    each
      .option('--as <person>', 'who speaks, by the development issuer', SAMPLE_APPROVER)
      .option('--token <file>', 'or the token in this file, of your own issuer')
      .option('--broker <url>', 'the broker, where npm start did not start it');
  const reason = (each: Command) => each.option('--reason <text>', 'why, for the log');

  const approvals = mayfly.command('approvals').description('calls that wait for people');
  asPerson(command(approvals, 'list', 'what waits, or what became of it'))
    .addOption(
      new Option('--state <state>', 'which')
        .choices(['open', 'consumed', 'refused', 'expired', 'withdrawn', 'all'])
        .default('open'),
    )
    .action((options: AsPerson & { state: string } & Json) => approvalsList(options, context(options)));
  reason(asPerson(command(approvals, 'withdraw', 'take an approval back: what was lent for it is cut')))
    .argument('<id>', 'approval id')
    .action((id: string, options: AsPerson & { reason?: string } & Json) =>
      takeBack(id, 'withdraw', options, context(options)),
    );

  reason(asPerson(command(mayfly, 'approve', 'say yes to a call that waits')))
    .argument('<id>', 'approval id')
    .option('--digest <digest>', 'only if it is for the call with this digest')
    .option('--break-glass <reason>', 'as an operator, alone, in an emergency: always looked at later')
    .action((id: string, options: ApproveOptions & Json) => approve(id, options, context(options)));
  reason(asPerson(command(mayfly, 'deny', 'say no to a call that waits')))
    .argument('<id>', 'approval id')
    .action((id: string, options: AsPerson & { reason?: string } & Json) =>
      takeBack(id, 'refuse', options, context(options)),
    );
}
