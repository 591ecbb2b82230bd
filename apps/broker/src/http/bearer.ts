/** Who asks, by a JWT-SVID (or OIDC token) as bearer token: only on a way on which nobody else could read it. */
import type { IncomingMessage } from 'node:http';
import type { Refusal } from '#events/refusal.js';
import { verifyBearer } from '#identity/bearer.js';
import type { Trust } from '#identity/trust.js';
import { TransportError } from './problems.js';

const MAX_TOKEN_CHARS = 8_192;

/** @returns the SPIFFE id, or why not. @throws TransportError ERR_TLS_REQUIRED, ERR_BEARER_MISSING */
export function bearerOf(
  request: IncomingMessage,
  { trust, isPrivate }: { trust: Trust; isPrivate: (request: IncomingMessage) => boolean },
): { ok: true; id: string } | { ok: false; refusal: Refusal } {
  if (!isPrivate(request))
    throw new TransportError('ERR_TLS_REQUIRED', 'bearer tokens are taken over TLS alone');
  return verifyBearer(bearerTokenOf(request), trust, Date.now());
}

/** @throws TransportError ERR_BEARER_MISSING where there is no token, or none that could be a JWT */
export function bearerTokenOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(headers.authorization ?? '')?.[1];
  if (token === undefined || token.length > MAX_TOKEN_CHARS)
    throw new TransportError('ERR_BEARER_MISSING', 'a JWT is needed as bearer token');
  return token;
}
