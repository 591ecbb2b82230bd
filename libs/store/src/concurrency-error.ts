/** Another transaction appended to the stream first: load it again, decide again. */
export class ConcurrencyError extends Error {
  override readonly name = 'ConcurrencyError';
  readonly code = 'ERR_VERSION_TAKEN';
}
