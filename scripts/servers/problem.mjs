/**
 * A condition the user can mend: printed as one line (what is wrong, then the remedy) and exit status 2.
 * Anything else but a Failure that is thrown is a fault of ours and keeps its stack.
 */
export class Problem extends Error {
  name = 'Problem';
  exitCode = 2;

  /**
   * @param {string} message what is wrong
   * @param {string} remedy what to do about it
   * @param {ErrorOptions} [options]
   */
  constructor(message, remedy, options) {
    super(message, options);
    this.remedy = remedy;
  }
}

/** A part that did not do its work, with all that is known in the message: printed without our stack, exit status 1. */
export class Failure extends Error {
  name = 'Failure';
}

/**
 * The one line of a problem. Line breaks inside (a tool's own message) become spaces.
 * @param {Problem} problem
 * @returns {string}
 */
export function oneLine(problem) {
  return `mayfly: ${problem.message}. ${problem.remedy}.`.replace(/\s*\n\s*/g, ' ');
}

/**
 * Prints whatever was thrown the way it deserves and names the exit status for it.
 * @param {unknown} error
 * @returns {number}
 */
export function report(error) {
  if (error instanceof Problem) {
    process.stderr.write(`${oneLine(error)}\n`);
    return error.exitCode;
  }
  if (error instanceof Failure) {
    process.stderr.write(`mayfly: ${error.message}\n`);
    return 1;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}
