/** Why a request is not let through: one closed list of stable codes, and what HTTP says for each. */
import { DPOP_CODES, type DpopCode } from '#identity/dpop.js';
import { TOKEN_CODES, type TokenCode } from '#tokens/refusal.js';

/** What only a verifier finds. Those of tokens and of proofs come on top. */
export const OWN_CODES = [
  'ERR_TOKEN_MISSING',
  'ERR_TOKEN_SCHEME',
  'ERR_TOKEN_REVOKED',
  'ERR_TOKEN_INACTIVE',
  'ERR_DPOP_MISSING',
  'ERR_DPOP_DOUBLED',
  'ERR_DPOP_OTHER_KEY',
  'ERR_DPOP_REPLAYED',
  'ERR_DPOP_REPLAYS_FULL',
  'ERR_ACT_NOT_GRANTED',
  'ERR_ARGUMENTS_MISMATCH',
  'ERR_ARGUMENTS_MISSING',
  'ERR_REVOCATION_UNKNOWN',
  'ERR_INTROSPECTION_FAILED',
  'ERR_KEYS_STALE',
] as const;
export type OwnCode = (typeof OWN_CODES)[number];

export const VERIFIER_CODES = [...OWN_CODES, ...TOKEN_CODES, ...DPOP_CODES] as const;
export type VerifierCode = OwnCode | TokenCode | DpopCode;

/** One check of several: what it found, or why the request goes no further. */
export type Step<T> = ({ ok: true } & T) | { ok: false; code: VerifierCode; reason: string };
export const no = (code: VerifierCode, reason: string) => ({ ok: false as const, code, reason });

/** `unavailable`: nothing is wrong with the request as far as one can know; the same one may pass later. */
type Answer =
  'no_token' | 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce' | 'forbidden' | 'unavailable';

const OWN_ANSWERS: Record<OwnCode, Answer> = {
  ERR_TOKEN_MISSING: 'no_token',
  ERR_TOKEN_SCHEME: 'no_token',
  ERR_TOKEN_REVOKED: 'invalid_token',
  ERR_TOKEN_INACTIVE: 'invalid_token',
  ERR_DPOP_MISSING: 'invalid_dpop_proof',
  ERR_DPOP_DOUBLED: 'invalid_dpop_proof',
  // As RFC 9449 §7.1 has it.
  ERR_DPOP_OTHER_KEY: 'invalid_token',
  ERR_DPOP_REPLAYED: 'invalid_dpop_proof',
  ERR_DPOP_REPLAYS_FULL: 'unavailable',
  ERR_ACT_NOT_GRANTED: 'forbidden',
  ERR_ARGUMENTS_MISMATCH: 'forbidden',
  ERR_ARGUMENTS_MISSING: 'forbidden',
  ERR_REVOCATION_UNKNOWN: 'unavailable',
  ERR_INTROSPECTION_FAILED: 'unavailable',
  ERR_KEYS_STALE: 'unavailable',
};

const STATUS: Record<Answer, 401 | 403 | 503> = {
  no_token: 401,
  invalid_token: 401,
  invalid_dpop_proof: 401,
  use_dpop_nonce: 401,
  forbidden: 403,
  unavailable: 503,
};

export interface VerifierRefusal {
  ok: false;
  code: VerifierCode;
  /** Constant text. */
  reason: string;
  httpStatus: 401 | 403 | 503;
  /** For the header of that name (RFC 9449 §7.1, RFC 9728 §5.1); none where no other token would help. */
  wwwAuthenticate?: string;
}

const ALGORITHMS = 'ES256 Ed25519 EdDSA';
const isOwn = (code: VerifierCode): code is OwnCode => (OWN_CODES as readonly string[]).includes(code);
const isDpop = (code: VerifierCode): code is DpopCode => (DPOP_CODES as readonly string[]).includes(code);

function answerTo(code: VerifierCode): Answer {
  if (isOwn(code)) return OWN_ANSWERS[code];
  if (code === 'ERR_DPOP_NONCE') return 'use_dpop_nonce';
  return isDpop(code) ? 'invalid_dpop_proof' : 'invalid_token';
}

/** @param resourceMetadata URL of the service's metadata (RFC 9728), where a client learns whom to ask for a token. */
export function refuseRequest(
  code: VerifierCode,
  reason: string,
  resourceMetadata?: string,
): VerifierRefusal {
  const answer = answerTo(code);
  const refusal = { ok: false as const, code, reason, httpStatus: STATUS[answer] };
  if (answer === 'unavailable') return refusal;
  const parameters = [
    // Who brought no token is told how to, and of no error (RFC 6750 §3.1).
    ...(answer === 'no_token' ? [] : [`error="${answer === 'forbidden' ? 'insufficient_scope' : answer}"`]),
    ...(answer === 'no_token' ? [] : [`error_description="${code}"`]),
    `algs="${ALGORITHMS}"`,
    ...(resourceMetadata === undefined ? [] : [`resource_metadata="${resourceMetadata}"`]),
  ];
  return { ...refusal, wwwAuthenticate: `DPoP ${parameters.join(', ')}` };
}
