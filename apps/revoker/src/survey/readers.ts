/** Who may read what the revoker knows of the targets: operators and auditors of the catalogue, people and services. */
import type { IncomingMessage } from 'node:http';
import type { Catalogue, Role } from '#events/catalogue.js';
import { verifyCaller } from '#identity/caller.js';
import type { Trust } from '#identity/trust.js';
import { ProblemError } from '../http/problem.js';

export type ReadRequest = Pick<IncomingMessage, 'headers' | 'socket'>;

export interface ReadersMeans {
  trust: Trust;
  /** As it is now. */
  operators: () => Catalogue['operators'];
  /** Whether nobody else could read the request on its way. */
  isPrivate: (request: ReadRequest) => boolean;
}

const MAY_READ: readonly Role[] = ['operator', 'auditor'];
const MAX_TOKEN_CHARS = 8_192;

/** @returns the reader. @throws ProblemError ERR_TLS_REQUIRED, ERR_UNAUTHENTICATED, ERR_FORBIDDEN */
export function admitReader(request: ReadRequest, means: ReadersMeans, nowMs: number): string {
  if (!means.isPrivate(request))
    throw new ProblemError('ERR_TLS_REQUIRED', 'tokens are taken over TLS alone');
  const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined || token.length > MAX_TOKEN_CHARS)
    throw new ProblemError('ERR_UNAUTHENTICATED', 'a JWT is needed as bearer token');
  const verified = verifyCaller(token, means.trust, nowMs);
  if (!verified.ok)
    throw new ProblemError('ERR_UNAUTHENTICATED', 'the bearer token is refused', {
      reason: verified.refusal.code,
    });
  if (
    means
      .operators()
      .get(verified.id)
      ?.roles.some((role) => MAY_READ.includes(role)) !== true
  )
    throw new ProblemError('ERR_FORBIDDEN', 'the caller is neither operator nor auditor of the catalogue');
  return verified.id;
}
