/** The commands by which people look after tasks, and their options. */
import type { Command } from 'commander';
import { SAMPLE_APPROVER } from '../approvals/approvals.js';
import type { AsPerson } from '../service-door.js';
import type { CommandContext } from '../commands/context.js';
import { SAMPLE_PERSON_OPERATOR, taskDrift, taskOrder } from './task-view.js';

type Json = { json?: boolean };
type Ordering = AsPerson & { reason: string } & Json;

export function taskCommands(
  task: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
): void {
  const ofTask = (name: string, description: string, person: string) =>
    command(task, name, description)
      .argument('<id>', 'task id')
      .option('--as <person>', 'who speaks, by the development issuer', person)
      .option('--token <file>', 'or the token in this file, of your own issuer')
      .option('--broker <url>', 'the broker, where npm start did not start it');

  ofTask('drift', 'what a task declared, asked for, was granted and used', SAMPLE_PERSON_OPERATOR).action(
    (id: string, options: AsPerson & Json) => taskDrift(id, options, context(options)),
  );
  ofTask('suspend', 'as an operator, stop a task: what it was lent is cut', SAMPLE_PERSON_OPERATOR)
    .requiredOption('--reason <text>', 'why, for the log')
    .action((id: string, options: Ordering) => taskOrder('suspend', id, options, context(options)));
  ofTask(
    'resume',
    'let a task go on: as an approver after drift, as an operator after an operator',
    SAMPLE_APPROVER,
  )
    .requiredOption('--reason <text>', 'why, for the log')
    .action((id: string, options: Ordering) => taskOrder('resume', id, options, context(options)));
}
