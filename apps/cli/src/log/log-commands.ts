/** The log's mathematics on the command line, for whoever checks it against another implementation; and its keys, changed. */
import type { Command } from 'commander';
import type { CommandContext } from '../commands/context.js';
import type { Input } from '../lines.js';
import {
  keyCompromised,
  keyNew,
  keyRetire,
  keyRotate,
  type KeyCompromisedOptions,
  type KeyNewOptions,
  type KeyRetireOptions,
  type KeyRotateOptions,
} from './key-change.js';
import { logCheck } from './log-check.js';
import { logRoot } from './log-root.js';

type Json = { json?: boolean };

export function logCommands(
  mayfly: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
  input: Input,
): void {
  const log = mayfly.command('log').description('proofs, notes, roots and keys, without any service');
  command(log, 'check', 'check proofs and notes: one JSON object a line on standard input').action(
    (options: Json) => logCheck(input, context(options)),
  );
  command(log, 'root', 'size and root of a tree: one entry in base64 a line on standard input').action(
    (options: Json) => logRoot(input, context(options)),
  );
  keyCommands(log, command, context);
}

function keyCommands(
  log: Command,
  command: (parent: Command, name: string, description: string) => Command,
  context: (options: Json) => CommandContext,
): void {
  const key = log.command('key').description('keys that sign the heads of a log');
  const policy = ['--policy <file>', 'the trust file of today'] as const;
  const keyOut = ['--key-out <file>', 'where the key goes (mode 0600), for the signer'] as const;
  const policyOut = ['--policy-out <file>', 'where the trust file of then goes'] as const;

  command(key, 'new', 'make the key of a log that begins')
    .requiredOption('--origin <origin>', 'name of the log')
    .requiredOption(...keyOut)
    .action((options: KeyNewOptions & Json) => keyNew(options, context(options)));
  command(key, 'rotate', 'make the key that follows the present one, and a trust file with both')
    .requiredOption(...policy)
    .option('--origin <origin>', 'which log, where the trust file has several')
    .requiredOption(...keyOut)
    .requiredOption(...policyOut)
    .action((options: KeyRotateOptions & Json) => keyRotate(options, context(options)));
  command(key, 'retire', 'make a trust file without a key, once another one signs too')
    .argument('<vkey>', 'the key, or its name and id')
    .requiredOption(...policy)
    .requiredOption('--checkpoint <file>', 'one that a key that stays has signed')
    .requiredOption(...policyOut)
    .action((vkey: string, options: KeyRetireOptions & Json) => keyRetire(vkey, options, context(options)));
  command(key, 'compromised', 'make the key and the trust file of a log in place of one whose key was stolen')
    .requiredOption(...policy)
    .requiredOption('--checkpoint <file>', 'the last one that is known to be good')
    .requiredOption('--origin <origin>', 'name of the log that begins')
    .requiredOption(...keyOut)
    .requiredOption(...policyOut)
    .action((options: KeyCompromisedOptions & Json) => keyCompromised(options, context(options)));
}
