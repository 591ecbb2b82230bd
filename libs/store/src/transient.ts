/**
 * Which failures of a transaction pass by themselves. Everything else is a mistake of ours or in a record: trying it again and
 * again would stop all that is behind it.
 */

/** Classes and codes of PostgreSQL's errors (its manual, appendix A). */
const CLASSES = [
  '08', // the connection
  '40', // rolled back: serialization, deadlock
  '53', // no disk, memory or connection left
  '57', // shut down, starting up, cancelled
  '58', // the system under it
];
const CODES = new Set([
  '25006', // read only: a standby that is being promoted
  '25P03', // idle in transaction for too long
  '55P03', // a lock was not got in time
  '28000', // who we are is not known there: a server whose accounts are being restored
  '28P01',
  '3D000',
]);

/** Of the operating system, where no server answered. */
const SYSTEM = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

/** What the client says without a code (pg 8). */
const MESSAGES = [
  'Connection terminated',
  'timeout exceeded when trying to connect',
  'Client has encountered a connection error',
  'Client was closed',
  'Query read timeout',
];

/**
 * True for a failure of the database or of the way to it, or a lock that was not got. A version of a stream that stays taken is
 * none: a row that is behind its stream would be tried for ever.
 */
export function isTransient(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && code !== '')
    return SYSTEM.has(code) || CODES.has(code) || (code.length === 5 && CLASSES.includes(code.slice(0, 2)));
  return MESSAGES.some((message) => error.message.startsWith(message));
}
