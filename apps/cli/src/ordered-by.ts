/** Who gives an order to a service, as it will stand in the log. */
import { userInfo } from 'node:os';
import { printable } from './dlq/letter-text.js';
import { CliError } from './failure.js';

/** @param as a name given with `--as`; without one, the login of the operating system. Nobody checks either. @throws CliError */
export function orderedBy(as: string | undefined): string {
  if (as !== undefined && as.trim() === '') throw new CliError('ERR_CLI_USAGE', '--as wants a name');
  if (as !== undefined) return printable(as.trim(), 100);
  try {
    return `os:${printable(userInfo().username, 100)}`;
  } catch {
    throw new CliError('ERR_CLI_USAGE', 'this login has no name: say who you are with --as');
  }
}
