/** What an operator has to put right first: exit code 2. */
export class SetUpError extends Error {
  override readonly name = 'SetUpError';
  readonly code = 'ERR_AUDITOR_SET_UP';
}
