/**
 * A right at a Redis target, as `datasets.yaml` says it: patterns of keys and channels, and the commands that may be used on them, as
 * one line in the words of `ACL SETUSER`. Each right becomes a selector of its own, so two rights never add up to a third one.
 * Whatever cannot be said exactly is refused: nothing is left out of a right, nothing is added to it.
 */
import { z } from 'zod';

const MOST_CHARACTERS = 512;

/** It begins with something literal: a right to all keys is a right to no dataset. No quotes, spaces or brackets of selectors. */
const PATTERN = String.raw`[\w:./{}@#][\w:./{}@#=+,*?^-]*(?:\[\^?[\w-]+\][\w:./{}@#=+,*?^-]*)*`;
const KEYS = new RegExp(`^(?:~|%R~|%W~|%RW~)${PATTERN}$`);
const CHANNELS = new RegExp(`^&${PATTERN}$`);
const COMMAND = /^([+-])(?:@([a-z]+)|([a-z][a-z0-9]*(?:[._-][a-z0-9]+)*)(?:\|([a-z][a-z0-9-]*))?)$/;

/** Categories by what a command does to its keys. `fast`, `slow`, `connection` and `all` say nothing of that. */
const CATEGORIES: ReadonlySet<string> = new Set([
  ...[
    'read',
    'write',
    'keyspace',
    'string',
    'bitmap',
    'hyperloglog',
    'list',
    'set',
    'sortedset',
    'hash',
    'geo',
  ],
  ...['stream', 'pubsub', 'blocking', 'transaction'],
]);

/** Refused by name, so that nobody believes to have lent them: administration, scripts, and what reaches beyond the named keys. */
const NEVER: ReadonlySet<string> = new Set([
  ...[
    'acl',
    'asking',
    'auth',
    'bgrewriteaof',
    'bgsave',
    'commandlog',
    'config',
    'debug',
    'failover',
    'flushall',
  ],
  ...[
    'flushdb',
    'hello',
    'info',
    'keys',
    'lastsave',
    'latency',
    'migrate',
    'module',
    'monitor',
    'move',
    'pfdebug',
  ],
  ...[
    'pfselftest',
    'psync',
    'quit',
    'replconf',
    'replicaof',
    'reset',
    'restore',
    'restore-asking',
    'role',
    'save',
  ],
  ...['select', 'shutdown', 'slaveof', 'slowlog', 'sort', 'sort_ro', 'swapdb', 'sync', 'trimslots'],
  ...['eval', 'eval_ro', 'evalsha', 'evalsha_ro', 'fcall', 'fcall_ro', 'function', 'script'],
]);

/** Commands that are several: each subcommand is lent by its name. */
const SUBCOMMANDS: Readonly<Record<string, ReadonlySet<string>>> = {
  client: new Set(['getname', 'id', 'info', 'no-touch', 'reply', 'setinfo', 'setname']),
  cluster: new Set(['info', 'keyslot', 'myid', 'nodes', 'shards', 'slots']),
  command: new Set(['count', 'docs', 'getkeys', 'info', 'list']),
  memory: new Set(['usage']),
  object: new Set(['encoding', 'freq', 'idletime', 'refcount']),
  pubsub: new Set(['channels', 'numpat', 'numsub', 'shardchannels', 'shardnumsub']),
  xgroup: new Set(['create', 'createconsumer', 'delconsumer', 'destroy', 'setid']),
  xinfo: new Set(['consumers', 'groups', 'stream']),
};

/** They show the names of other keys and channels, so no category lends them; a right may name them. */
const ACROSS = ['dbsize', 'pubsub', 'randomkey', 'scan'] as const;

/** What no right can lend, whatever else the server knows under these names. Last, so that nothing gives it back. */
const NEVER_LENT = ['-@admin', '-@dangerous', '-@scripting'] as const;

/** Why it is no right; null where it is one. */
export function problemOf(right: string): string | null {
  if (right.length > MOST_CHARACTERS) return 'is longer than 512 characters';
  let [patterns, commands] = [0, 0];
  for (const word of right.split(' ')) {
    if (KEYS.test(word) || CHANNELS.test(word)) {
      patterns += 1;
      continue;
    }
    const problem = problemOfCommand(word);
    if (problem !== null) return problem;
    if (word.startsWith('+')) commands += 1;
  }
  if (patterns === 0) return 'names no keys and no channels';
  return commands === 0 ? 'lends no command' : null;
}

function problemOfCommand(word: string): string | null {
  const [, sign, category, command, subcommand] = COMMAND.exec(word) ?? [];
  if (sign === undefined) return 'has a word that is no pattern, no command and no category';
  if (sign === '-') return category === 'all' ? 'takes everything back' : null;
  if (category !== undefined) return CATEGORIES.has(category) ? null : 'lends a category that is never lent';
  if (command === undefined || NEVER.has(command)) return 'lends a command that is never lent';
  const subcommands = SUBCOMMANDS[command];
  if (subcommands === undefined)
    return subcommand === undefined ? null : 'names a part of a command that has none';
  return subcommand !== undefined && subcommands.has(subcommand)
    ? null
    : 'lends more than one part of a command';
}

/** One argument of `ACL SETUSER`. Requires a right. */
export function selectorOf(right: string): string {
  const words = right.split(' ');
  const named = new Set(words.map((word) => /^\+([a-z]+)/.exec(word)?.[1]));
  const across = ACROSS.filter((command) => !named.has(command)).map((command) => `-${command}`);
  // A new selector has what the server gives by default, which may be every channel.
  return `(${['resetkeys', 'resetchannels', '-@all', ...words, ...across, ...NEVER_LENT].join(' ')})`;
}

/** As a catalogue says it. */
export const redisRight = z.string().refine((right) => problemOf(right) === null, {
  error: 'expected a right of a redis target, such as `%R~orders:* +@read`',
});
