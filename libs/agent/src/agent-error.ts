/** What can go wrong on an agent's side. A refusal by Mayfly is an answer, not one of these: `refused.ts`. */
export type AgentErrorCode =
  | 'ERR_KEY_FILE_INVALID'
  | 'ERR_SVID_MALFORMED'
  | 'ERR_IDENTITY_UNAVAILABLE'
  | 'ERR_AGENT_IDENTITY_MISSING'
  | 'ERR_ENVELOPE_INVALID'
  | 'ERR_ENVELOPE_MISMATCH'
  | 'ERR_ANSWER_TIMEOUT'
  | 'ERR_ANSWERS_LOST'
  | 'ERR_APPROVAL_PENDING'
  | 'ERR_CREDENTIAL_VOID'
  | 'ERR_CREDENTIAL_KIND'
  | 'ERR_URL_INSECURE'
  | 'ERR_BROKER_ANSWER'
  | 'ERR_TASK_OVER'
  | 'ERR_TOKEN_OTHER_AUDIENCE'
  | 'ERR_INTERRUPTED';

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
