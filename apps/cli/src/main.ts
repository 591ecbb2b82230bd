/** `mayfly`: runs one command. Exit status 0: done. 1: refused, or it does not hold. 2: it could not be asked. */
import { CommanderError } from 'commander';
import { failureOf } from './failure.js';
import { program } from './program.js';

/** The answer is out already, and says what does not hold. */
const ANSWERED = ['ERR_CLI_CHECKS_FAILED', 'ERR_CLI_NOT_PROVEN', 'ERR_CLI_NOT_JUDGED'];

try {
  await program(process.env, process).parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  // commander has printed its own message, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  const failure = failureOf(error);
  if (failure === undefined) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return 1;
  }
  const { exitStatus, code, line, reasons } = failure;
  process.stderr.write(`mayfly: ${line}\n`);
  if (process.argv.includes('--json') && !ANSWERED.includes(code))
    process.stdout.write(
      `${JSON.stringify({ error: { code, message: line, ...(reasons === undefined ? {} : { reasons }) } })}\n`,
    );
  return exitStatus;
}
