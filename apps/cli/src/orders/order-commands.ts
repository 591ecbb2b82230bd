/** The commands by which operators cut access, and their options. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import type { CommandContext } from '../commands/context.js';
import type { AsOperator } from '../service-door.js';
import { SAMPLE_PERSON_OPERATOR } from '../tasks/task-view.js';
import {
  agentReinstate,
  leaseList,
  revocationShow,
  revoke,
  type Ordering,
  type RevokeOptions,
} from './orders.js';

type Json = { json?: boolean };
const WAIT_S = 30;

export function orderCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
): void {
  const asOperator = (each: Command) =>
    each
      .option('--as <person>', 'who speaks, by the development issuer', SAMPLE_PERSON_OPERATOR)
      .option('--token <file>', 'or the token in this file, of your own issuer')
      .option('--revoker <url>', 'the revoker, where npm start did not start it');
  const waiting = (each: Command) =>
    asOperator(each).option('--wait <seconds>', 'how long to wait for the proof', seconds, WAIT_S);
  const ordering = (each: Command) =>
    waiting(each)
      .requiredOption('--reason <text>', 'why, for the log')
      .option('--order <id>', 'the same order again, where its answer was lost');

  ordering(command(mayfly, 'revoke', 'as an operator, cut access, and see it proven'))
    .option('--lease <id>', 'of this lease')
    .option('--task <id>', 'of this task, and of all below it')
    .option('--agent <spiffe-id>', 'of this agent, which gets nothing until it is reinstated')
    .option('--target <id>', 'at this target')
    .option('--all', 'everywhere')
    .option('--confirm', 'everywhere, and that is meant')
    .action((options: RevokeOptions & Json) => revoke(options, context(options)));

  const lease = mayfly.command('lease').description('credentials that are lent');
  asOperator(command(lease, 'list', 'what is lent, and what becomes of it'))
    .option('--task <id>', 'of this task, and of all below it')
    .option('--agent <spiffe-id>', 'of this agent')
    .option('--target <id>', 'at this target')
    .addOption(
      new Option('--state <state>', 'all but removed, unless told otherwise').choices([
        'live',
        'due',
        'cut',
        'removed',
      ]),
    )
    .action((options: AsOperator & Json) => leaseList(options, context(options)));
  ordering(command(lease, 'revoke', 'as an operator, cut one'))
    .argument('<id>', 'lease id')
    .action((id: string, options: Ordering & Json) => revoke({ ...options, lease: id }, context(options)));

  const agent = mayfly.command('agent').description('agents that may have credentials, or may not');
  ordering(command(agent, 'revoke', 'as an operator, cut all that an agent has, and give it nothing more'))
    .argument('<spiffe-id>', 'the agent')
    .action((id: string, options: Ordering & Json) => revoke({ ...options, agent: id }, context(options)));
  asOperator(command(agent, 'reinstate', 'let it have credentials again; none of before comes back'))
    .argument('<spiffe-id>', 'the agent')
    .requiredOption('--reason <text>', 'why, for the log')
    .action((id: string, options: AsOperator & { reason: string } & Json) =>
      agentReinstate(id, options, context(options)),
    );

  const revocation = mayfly.command('revocation').description('orders to revoke');
  waiting(command(revocation, 'show', 'what of an order is proven'))
    .argument('<id>', 'order id')
    .action((id: string, options: AsOperator & { wait: number } & Json) =>
      revocationShow(id, options, context(options)),
    );
}

function seconds(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0)
    throw new InvalidArgumentError('a whole number of seconds is wanted');
  return value;
}
