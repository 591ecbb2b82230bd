/**
 * `POST /oauth/introspect` (RFC 7662): whether a token lives, by what the revoker published, to its agent and to whoever verifies it
 * at its tool. Anybody else hears the same as of a token that never was.
 */
import type { IncomingMessage } from 'node:http';
import type { Catalogue } from '#events/catalogue.js';
import type { AccessTokenClaims } from '#tokens/access-token.js';
import { introspectionReply } from '#tokens/introspection.js';
import type { LifeSource } from '#verifier/life.js';
import { json, type Reply } from '../reply.js';
import { callerOf, type ClientTrust } from './client.js';
import { readForm } from './form.js';
import type { KnownTokens } from './known-token.js';
import { OAuthError } from './oauth-error.js';

export interface IntrospectParts {
  client: ClientTrust;
  catalogue: Catalogue;
  known: KnownTokens;
  lives: LifeSource;
}

/** @throws OAuthError, TransportError */
export async function introspect(request: IncomingMessage, parts: IntrospectParts): Promise<Reply> {
  const nowMs = Date.now();
  const form = await readForm(request);
  const caller = callerOf(form, request.headers.authorization, parts.client, nowMs);
  const token = form.get('token');
  if (token === undefined) throw new OAuthError('invalid_request', 'ERR_FORM_INVALID', 'there is no token');
  const known = parts.known.know(token, nowMs);
  if (known === undefined || !mayKnow(caller.id, known.claims, parts.catalogue))
    return json(200, introspectionReply(undefined, 'unknown', nowMs));
  return json(200, introspectionReply(known.claims, await parts.lives.lifeOf(known, nowMs), nowMs));
}

function mayKnow(
  caller: string,
  { client_id, authorization_details }: AccessTokenClaims,
  { tools }: Catalogue,
) {
  return (
    caller === client_id ||
    authorization_details.every(({ tool }) => tools.get(tool)?.verifiers.includes(caller) === true)
  );
}
