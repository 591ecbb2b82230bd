/** What ends a command. Exit status 1: Mayfly said no, or what was asked for does not hold. 2: it could not be asked. */
import { AgentError } from '#agent/agent-error.js';
import type { AgentErrorCode } from '#agent/agent-error.js';
import { Refused } from '#agent/refused.js';
import { BusError } from '#bus/bus.js';
import { ConfigError, configErrorLine } from '#config/config-error.js';
import { IdentityError } from '#identity/errors.js';

export type CliErrorCode =
  | 'ERR_CLI_USAGE'
  | 'ERR_CLI_NOT_RUNNING'
  | 'ERR_CLI_UNREACHABLE'
  | 'ERR_CLI_FILE'
  | 'ERR_CLI_TIMEOUT'
  | 'ERR_CLI_ANSWER'
  | 'ERR_CLI_NOT_FOUND'
  | 'ERR_CLI_DEAD_CREDENTIAL'
  | 'ERR_CLI_CHECKS_FAILED'
  | 'ERR_CLI_NOT_PROVEN'
  | 'ERR_CLI_SETTLED'
  | 'ERR_CLI_STILL_PARKED'
  | 'ERR_CLI_STILL_RUNNING'
  | 'ERR_CLI_LOG_NOT_EMPTY'
  | 'ERR_CLI_LOG_INCOMPLETE'
  | 'ERR_CLI_NOT_JUDGED'
  | 'ERR_CLI_PROJECTIONS_DIFFER';

const EXIT_STATUS: Record<CliErrorCode, 1 | 2> = {
  ERR_CLI_USAGE: 2,
  ERR_CLI_NOT_RUNNING: 2,
  ERR_CLI_UNREACHABLE: 2,
  ERR_CLI_FILE: 2,
  ERR_CLI_TIMEOUT: 1,
  ERR_CLI_ANSWER: 1,
  ERR_CLI_NOT_FOUND: 1,
  ERR_CLI_DEAD_CREDENTIAL: 1,
  ERR_CLI_CHECKS_FAILED: 1,
  ERR_CLI_NOT_PROVEN: 1,
  ERR_CLI_SETTLED: 1,
  ERR_CLI_STILL_PARKED: 1,
  ERR_CLI_STILL_RUNNING: 1,
  ERR_CLI_LOG_NOT_EMPTY: 1,
  ERR_CLI_LOG_INCOMPLETE: 1,
  ERR_CLI_NOT_JUDGED: 2,
  ERR_CLI_PROJECTIONS_DIFFER: 1,
};

/** With these of an agent's errors nothing could be asked. */
const NOT_ASKED: readonly AgentErrorCode[] = ['ERR_KEY_FILE_INVALID', 'ERR_ANSWERS_LOST'];

/** The message is for the user's one line: what is wrong, and what to do about it. It holds no secret. */
export class CliError extends Error {
  override readonly name = 'CliError';
  constructor(
    readonly code: CliErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

export interface Failure {
  exitStatus: 1 | 2;
  code: string;
  /** One line. */
  line: string;
  reasons?: readonly string[];
}

/** What to tell about an error that ends a command; undefined for what nobody foresaw, which keeps its stack. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof Refused)
    return {
      exitStatus: 1,
      code: error.code,
      line: `refused ${error.code}: ${error.message}`,
      reasons: error.reasons,
    };
  if (error instanceof CliError)
    return {
      exitStatus: EXIT_STATUS[error.code],
      code: error.code,
      line: error.message,
    };
  if (error instanceof ConfigError) return { exitStatus: 2, code: error.code, line: configErrorLine(error) };
  if (error instanceof BusError)
    return {
      exitStatus: 2,
      code: error.code,
      line: `Kafka: ${error.message}; is Mayfly running? npm start`,
    };
  if (error instanceof AgentError)
    return {
      exitStatus: NOT_ASKED.includes(error.code) ? 2 : 1,
      code: error.code,
      line: withFields(error),
    };
  if (error instanceof IdentityError) return { exitStatus: 2, code: error.code, line: withFields(error) };
  return undefined;
}

const withFields = ({ message, fields }: { message: string; fields: Record<string, string | number> }) =>
  [message, ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)].join(' ');
