/** The stored log is not what it must be. Nothing is appended, signed or proven on top of it; a person has to look. */
export type LogErrorCode =
  | 'ERR_LOG_HEAD_MISSING'
  | 'ERR_LOG_HEAD_MOVED'
  | 'ERR_LOG_ROWS_MISSING'
  | 'ERR_LOG_INCONSISTENT'
  | 'ERR_LOG_CHECKPOINT_FOREIGN';

export class LogError extends Error {
  override readonly name = 'LogError';
  constructor(
    readonly code: LogErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
