/** The log's mathematics on the command line, for whoever checks it against another implementation. */
import type { Command } from 'commander';
import type { CommandContext } from '../commands/context.js';
import type { Input } from '../lines.js';
import { logCheck } from './log-check.js';
import { logRoot } from './log-root.js';

type Json = { json?: boolean };

export function logCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
  input: Input,
): void {
  const log = mayfly.command('log').description('proofs, notes and roots, without any service');
  command(log, 'check', 'check proofs and notes: one JSON object a line on standard input').action(
    (options: Json) => logCheck(input, context(options)),
  );
  command(log, 'root', 'size and root of a tree: one entry in base64 a line on standard input').action(
    (options: Json) => logRoot(input, context(options)),
  );
}
