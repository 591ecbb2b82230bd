/** Who asks: a workload, by its JWT-SVID (RFC 7523, draft-ietf-oauth-spiffe-client-auth). */
import { verifyBearer } from '#identity/bearer.js';
import type { Trust } from '#identity/trust.js';
import type { Form } from './form.js';
import { OAuthError } from './oauth-error.js';

export const ASSERTION_TYPES = [
  'urn:ietf:params:oauth:client-assertion-type:jwt-spiffe',
  'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
] as const;
const JWT = 'urn:ietf:params:oauth:token-type:jwt';
const MAX_TOKEN_CHARS = 8_192;

export interface Client {
  /** Authenticated: a SPIFFE id. */
  id: string;
  /** Of the token that proved it, lower-case hex, and until when that one is good. */
  sha256: string;
  expiresAtMs: number;
}

export interface ClientTrust {
  trust: Trust;
  /** The one audience of an assertion: this authorization server. */
  issuer: string;
}

/** @throws OAuthError `invalid_client` */
export function clientOf(form: Form, { trust, issuer }: ClientTrust, nowMs: number): Client {
  const assertion = form.get('client_assertion');
  if (assertion === undefined) throw notClient('ERR_CLIENT_MISSING', 'there is no client_assertion');
  const type = form.get('client_assertion_type');
  if (!ASSERTION_TYPES.some((each) => each === type))
    throw notClient(
      'ERR_CLIENT_ASSERTION_TYPE',
      'client_assertion_type is neither jwt-spiffe nor jwt-bearer',
    );
  const client = verified(assertion, trust, nowMs, issuer);
  const named = form.get('client_id');
  if (named !== undefined && named !== client.id)
    throw notClient('ERR_CLIENT_MISMATCH', 'client_id is not the subject of the assertion');
  return client;
}

/** The same, or an SVID for the plain audience as bearer token: for endpoints at which no token is to be had. @throws OAuthError */
export function callerOf(
  form: Form,
  authorization: string | undefined,
  given: ClientTrust,
  nowMs: number,
): Client {
  if (authorization === undefined) return clientOf(form, given, nowMs);
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization)?.[1];
  if (token === undefined || form.has('client_assertion'))
    throw notClient('ERR_CLIENT_MISSING', 'one JWT-SVID is needed, as bearer token or as client_assertion');
  return verified(token, given.trust, nowMs);
}

/**
 * The token that is exchanged says the same as the assertion: who the client is. What somebody else may do is not to be had with it.
 * @throws OAuthError `invalid_request`, as RFC 8693 §2.2.2 has it
 */
export function checkSubject(
  form: Form,
  client: Client,
  { trust, issuer }: ClientTrust,
  nowMs: number,
): void {
  if (form.has('actor_token') || form.has('actor_token_type'))
    throw unacceptable('ERR_ACTOR_TOKEN', 'the client itself is the actor: no actor_token is taken');
  const token = form.get('subject_token');
  if (token === undefined) throw unacceptable('ERR_SUBJECT_TOKEN_MISSING', 'there is no subject_token');
  if (form.get('subject_token_type') !== JWT)
    throw unacceptable('ERR_SUBJECT_TOKEN_TYPE', 'the subject token must be the JWT-SVID of the client');
  if (token === form.get('client_assertion')) return;
  if (token.length > MAX_TOKEN_CHARS) throw unacceptable('ERR_SVID_INVALID', 'the subject token is too long');
  const subject = verifyBearer(token, trust, nowMs, issuer);
  if (!subject.ok) throw unacceptable(subject.refusal.code, subject.refusal.reason);
  if (subject.id !== client.id)
    throw unacceptable('ERR_SUBJECT_NOT_CLIENT', 'the subject token is of somebody else than the client');
}

function verified(token: string, trust: Trust, nowMs: number, audience?: string): Client {
  if (token.length > MAX_TOKEN_CHARS) throw notClient('ERR_SVID_INVALID', 'the SVID is too long');
  const found = verifyBearer(token, trust, nowMs, audience);
  if (!found.ok) throw notClient(found.refusal.code, found.refusal.reason);
  const { id, sha256, expiresAtMs } = found;
  return { id, sha256, expiresAtMs };
}

type Code = ConstructorParameters<typeof OAuthError>[1];
const notClient = (code: Code, description: string) => new OAuthError('invalid_client', code, description);
const unacceptable = (code: Code, description: string) =>
  new OAuthError('invalid_request', code, description);
