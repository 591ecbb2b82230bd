/**
 * The commands that make, fence and look at a principal, and how to read what comes back. The fence is in the user itself
 * (docs/adr/0020): every name that was ever used has **all channels** in its root permissions, which carry no command and so
 * give nothing. A create first asks for one channel more, which the server refuses of a user that has all; and since it applies
 * an `ACL SETUSER` as a whole or not at all, it creates a user that is not there, and touches none that is, or was cut.
 */
import { createHash } from 'node:crypto';
import type { Secret } from '../secret.js';
import type { CheckedCreate } from './checked-plan.js';

export type Command = readonly [string, ...string[]];
/** Of RESP 2. */
export type Reply = string | number | null | Error | Reply[];

/** What the server says to a create of a name that has its latch: EISDIR of `ACLSetSelector` in Redis' `acl.c`. */
const LATCHED = /allchannels/;
export const isLatched = (message: string): boolean => LATCHED.test(message);

/** For a connection to say what it is: no key, no channel, nothing of other connections. */
const HOUSEKEEPING = 'resetkeys resetchannels -@all +ping +client|setname +client|getname +client|id';

/**
 * One command, which says all: strict, and refused after a cut. The secret's hash travels, never the secret.
 * @param hasSetInfo the server knows `CLIENT SETINFO`
 */
export function createCommand(
  { principal, selectors }: CheckedCreate,
  secret: Secret,
  hasSetInfo: boolean,
): Command {
  const housekeeping = hasSetInfo ? `${HOUSEKEEPING} +client|setinfo` : HOUSEKEEPING;
  const hash = createHash('sha256').update(secret.reveal()).digest('hex');
  return [
    ...['ACL', 'SETUSER', principal],
    ...[`&${principal}`, 'reset', 'allchannels'],
    // A mark that outlives the cut: until it is cleaned, what was cut is told from what never was.
    `~${principal}`,
    ...['on', `#${hash}`, `(${housekeeping})`, ...selectors],
  ] as unknown as Command;
}

/** No login, no password, no command, no selector, and the latch; a name that was never used gets the latch alone. */
export const fenceCommand = (principal: string): Command => [
  ...(['ACL', 'SETUSER', principal] as const),
  ...['off', 'resetpass', 'clearselectors', '-@all', 'sanitize-payload', 'allchannels'],
];

/** The latch alone. */
export const cleanCommand = (principal: string): Command => [
  'ACL',
  'SETUSER',
  principal,
  'reset',
  'allchannels',
];

export const lookCommand = (principal: string): Command => ['ACL', 'GETUSER', principal];

/** Ends every connection of the user, whatever it waits for; answers how many. */
export const killCommand = (principal: string): Command => ['CLIENT', 'KILL', 'USER', principal];

export type State = 'absent' | 'disabled' | 'live';

/** Of an answer to `lookCommand`. A user that is a fence and nothing else is absent. @throws Error when it is none */
export function stateIn(reply: Reply | undefined): State {
  if (reply === null) return 'absent';
  const user = membersOf(reply);
  const flags = user.get('flags');
  if (!Array.isArray(flags)) throw new Error('look at a user had no flags');
  if (flags.includes('on')) return 'live';
  const { passwords, keys, selectors } = Object.fromEntries(user);
  const isBare =
    isEmpty(passwords) && isEmpty(keys) && isEmpty(selectors) && user.get('commands') === '-@all';
  return isBare ? 'absent' : 'disabled';
}

const isEmpty = (reply: Reply | undefined): boolean =>
  Array.isArray(reply) ? reply.length === 0 : reply === '';

function membersOf(reply: Reply | undefined): Map<string, Reply> {
  if (!Array.isArray(reply)) throw new Error('look at a user was not answered with one');
  const members = new Map<string, Reply>();
  for (let i = 0; i + 1 < reply.length; i += 2) members.set(String(reply[i]), reply[i + 1] ?? null);
  return members;
}

/** Of an answer to `killCommand`. A user that is not there has no connections. */
export const killedIn = (reply: Reply | undefined): number => (typeof reply === 'number' ? reply : 0);

export interface ClientLine {
  id: string;
  name: string;
  user: string;
  ageS: number;
}

/** Of an answer to `CLIENT LIST`. */
export function clientsIn(reply: Reply | undefined): ClientLine[] {
  if (typeof reply !== 'string') throw new Error('clients were not answered with lines');
  return reply
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const fields = new Map(
        line
          .trim()
          .split(' ')
          .map((field) => splitAt(field)),
      );
      const text = (name: string) => fields.get(name) ?? '';
      return { id: text('id'), name: text('name'), user: text('user'), ageS: Number(text('age')) };
    });
}

function splitAt(field: string): [string, string] {
  const at = field.indexOf('=');
  return [field.slice(0, at), field.slice(at + 1)];
}
