/** `mayfly dlq …` and its options. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { SERVICES } from '#events/services.js';
import type { CommandContext } from '../commands/context.js';
import { dlqList, type DlqListOptions } from '../commands/dlq-list.js';
import { dlqOrder, type DlqOrderOptions } from '../commands/dlq-order.js';
import { dlqShow, type DlqShowOptions } from '../commands/dlq-show.js';

type Json = { json?: boolean };

export function dlqCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
): void {
  const dlq = mayfly.command('dlq').description('records that a service could not handle and set aside');
  const whole = (least: number, most: number) => (text: string) => {
    const value = Number(text);
    if (!Number.isInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(`a whole number from ${least} to ${most} is wanted`);
    return value;
  };
  const service = () => new Option('--service <service>', 'whose records').choices([...SERVICES]);
  const at = (each: Command) =>
    each.option('--config <file>', 'the configuration of the service, where npm start did not start it');

  at(command(dlq, 'list', 'what is parked, oldest first'))
    .addOption(service())
    .option('--all', 'those too that only wait behind another')
    .option('--limit <n>', 'of each service', whole(1, 1_000), 50)
    .action((options: DlqListOptions & Json) => dlqList(options, context(options)));
  at(command(dlq, 'show', 'one parked record, without its tokens'))
    .argument('<id>', 'its number in the list')
    .addOption(service().default('broker'))
    .action((id: string, options: DlqShowOptions & Json) => dlqShow(id, options, context(options)));

  const order = (name: 'retry' | 'drop', description: string) =>
    at(command(dlq, name, description))
      .argument('<id>', 'its number in the list')
      .addOption(service().default('broker'))
      .option('--reason <text>', 'why; it stands in the log')
      .option('--as <name>', 'who gives the order (your login, unless told otherwise)')
      .option('--wait <seconds>', 'how long to wait until it is done', whole(0, 600), 10)
      .action((id: string, options: DlqOrderOptions & Json) => dlqOrder(name, id, options, context(options)));
  order('retry', 'have it handled again, with those that wait behind it');
  order('drop', 'give it up, and have those handled that wait behind it').option(
    '--confirm',
    'it cannot be taken back',
  );
}
