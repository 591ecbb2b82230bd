/** What can go wrong on an agent's side. A refusal by Mayfly is an answer, not one of these. */
export type AgentErrorCode =
  | 'ERR_KEY_FILE_INVALID'
  | 'ERR_SVID_MALFORMED'
  | 'ERR_ENVELOPE_INVALID'
  | 'ERR_ENVELOPE_MISMATCH'
  | 'ERR_ANSWER_TIMEOUT'
  | 'ERR_ANSWERS_LOST';

/** Messages are constant text and hold no secret; what varies is in `fields`. */
export class AgentError extends Error {
  override readonly name = 'AgentError';
  constructor(
    readonly code: AgentErrorCode,
    message: string,
    readonly fields: Record<string, string | number> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
