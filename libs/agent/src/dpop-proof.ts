/** A DPoP proof (RFC 9449 §4.2): that whoever sends this one request, with this token, holds the key that the token is bound to. */
import { createHash, randomUUID } from 'node:crypto';
import type { ProofKey } from './proof-key.js';

export interface ProvenRequest {
  method: string;
  url: string | URL;
  /** The access token that goes with the request. */
  token: string;
  /** What the service gave in `DPoP-Nonce`. */
  nonce?: string | undefined;
}

/** For the header `DPoP`, for one request: a service takes it once. */
export function dpopProof(key: ProofKey, request: ProvenRequest, nowMs: number): string {
  const { method, url, token, nonce } = request;
  return key.signJws(
    { typ: 'dpop+jwt', jwk: key.publicJwk },
    {
      jti: randomUUID(),
      htm: method,
      htu: withoutQuery(url),
      iat: Math.floor(nowMs / 1000),
      ath: createHash('sha256').update(token).digest('base64url'),
      ...(nonce === undefined ? {} : { nonce }),
    },
  );
}

function withoutQuery(text: string | URL): string {
  const url = new URL(text);
  url.search = '';
  url.hash = '';
  return url.href;
}
