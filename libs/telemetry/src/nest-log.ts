/** Nest's own log lines through ours: pass it as `logger` to `NestFactory`. The shape is Nest's `LoggerService`. */
import type { Log } from './log.js';

export class NestLog {
  constructor(private readonly sink: Log) {}

  log(message: unknown, ...rest: unknown[]): void {
    this.sink.debug(fieldsOf(message, rest), 'nest');
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.sink.debug(fieldsOf(message, rest), 'nest');
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.sink.trace(fieldsOf(message, rest), 'nest');
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.sink.warn(fieldsOf(message, rest), 'nest');
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.sink.error(fieldsOf(message, rest), 'nest');
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.sink.fatal(fieldsOf(message, rest), 'nest');
  }
}

/** Nest passes its context last, and for errors a stack before it. */
function fieldsOf(message: unknown, rest: readonly unknown[]): Record<string, unknown> {
  const context = rest.at(-1);
  const stack = rest.length > 1 ? rest[0] : undefined;
  return {
    ...(message instanceof Error ? { err: message } : { text: textOf(message) }),
    ...(typeof context === 'string' ? { context } : {}),
    ...(typeof stack === 'string' ? { stack } : {}),
  };
}

const textOf = (message: unknown) => (typeof message === 'string' ? message : JSON.stringify(message));
