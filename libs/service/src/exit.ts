/**
 * How a service ends. 0: it was told to, and finished what had begun. 1: something failed or was not finished, start it again.
 * 2: it would fail again, an operator has to change something first. 128 + n: a second signal n, or one before anything had begun.
 */
import { BusError, type BusErrorCode } from '#bus/bus.js';
import { ConfigError, configErrorLine } from '#config/config-error.js';
import { IdentityError } from '#identity/errors.js';
import { PolicyError, policyErrorLines } from '#policy/policy-error.js';
import { StoreRestoredError, storeRestoredLine } from '#store/epoch.js';
import { FaultPointError } from '#telemetry/fault-point.js';
import type { Log } from '#telemetry/log.js';

type ErrorClass = abstract new (...args: never[]) => Error;
export type IsOperators = (error: unknown) => boolean;

const OPERATORS: readonly ErrorClass[] = [
  ConfigError,
  PolicyError,
  IdentityError,
  FaultPointError,
  StoreRestoredError,
];
const OPERATORS_OF_THE_BUS: ReadonlySet<BusErrorCode> = new Set([
  'ERR_TOPIC_MISCONFIGURED',
  'ERR_BUS_TLS_FILE',
  // A topic made anew, or records gone that were never read: `docs/how-to/recover-from-a-restore.md`.
  'ERR_OFFSET_OUT_OF_RANGE',
]);

/** @param more kinds of error of one service, for which starting again is no help */
export function operatorsErrors(more: readonly ErrorClass[]): IsOperators {
  return (error) => {
    if (error instanceof BusError) return OPERATORS_OF_THE_BUS.has(error.code);
    // The keys of an issuer are at an address that does not answer now.
    if (error instanceof IdentityError && error.code === 'ERR_IDENTITY_FETCH_FAILED') return false;
    return [...OPERATORS, ...more].some((kind) => error instanceof kind) || isArguments(error);
  };
}

/** What `node:util` throws at an option that there is not. */
const isArguments = (error: unknown): boolean =>
  String((error as { code?: unknown } | null | undefined)?.code).startsWith('ERR_PARSE_ARGS');

/** Says why, for a person where a person has to act. @returns the exit status */
export function tell(error: unknown, message: string, log: Log, isOperators: IsOperators): 1 | 2 {
  if (error instanceof ConfigError) process.stderr.write(`${configErrorLine(error)}\n`);
  else if (error instanceof PolicyError) process.stderr.write(`${policyErrorLines(error).join('\n')}\n`);
  else if (error instanceof StoreRestoredError) process.stderr.write(`${storeRestoredLine(error)}\n`);
  else log.fatal({ err: error }, message);
  return isOperators(error) ? 2 : 1;
}
