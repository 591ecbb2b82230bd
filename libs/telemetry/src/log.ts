/**
 * Structured logs: one JSON object a line on stderr (stdout belongs to the user).
 * Messages are constant; what varies goes into fields: `log.warn({ topic, partition }, 'position not stored')`.
 * An error goes under `err`.
 */
import { destination, pino, stdTimeFunctions, type Level, type Logger } from 'pino';
import { scrub } from './scrub.js';

export type Log = Logger;
export type LogLevel = Level | 'silent';

export interface LogOptions {
  /** Lines below it are not written. Default `info`. */
  level?: LogLevel;
  /** Takes a finished line with its newline. Default: file descriptor 2, synchronously, so that a dying process loses none. */
  write?: (line: string) => void;
}

/** A log whose lines carry `service`. */
export function createLog(service: string, options: LogOptions = {}): Log {
  const write = options.write ?? toStderr();
  return pino(
    {
      level: options.level ?? 'info',
      base: { service, pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
      serializers: { err: describeError, error: describeError },
    },
    { write: (line: string) => write(scrub(line)) },
  );
}

function toStderr(): (line: string) => void {
  const stderr = destination({ dest: 2, sync: true });
  return (line) => void stderr.write(line);
}

const MAX_CAUSES = 5;

/**
 * An error as fields: type, code, message, stack, our own `fields`, causes. Other properties are left out, because
 * drivers keep values of rows (`detail`), parameters and whole requests in them.
 */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : `[${typeof error}]`;
  const { code, fields, cause } = error as { code?: unknown; fields?: unknown; cause?: unknown };
  return {
    type: error.name,
    ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
    message: error.message,
    ...(typeof fields === 'object' && fields !== null ? { fields } : {}),
    stack: error.stack,
    ...(cause !== undefined && depth < MAX_CAUSES ? { cause: describeError(cause, depth + 1) } : {}),
  };
}
