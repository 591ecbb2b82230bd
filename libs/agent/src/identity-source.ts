/** Where a workload's own identity comes from. */
import { readFile } from 'node:fs/promises';
import { AgentError } from './agent-error.js';

/**
 * Gives a JWT-SVID, or a workload's OIDC token. Asked for the audience `mayfly:jkt:<thumbprint>`, good only together with that
 * proof key; a source that cannot choose gives what it has, with the audience `mayfly`, which Mayfly takes over HTTPS only.
 */
export interface IdentitySource {
  (audience: string): Promise<string>;
  /** SPIFFE id under which the catalogue knows the bearer, where the token does not say it: an OIDC token's. */
  readonly id?: string;
}

/** Longer than any token that Mayfly looks at. */
const MAX_TOKEN_CHARACTERS = 16_384;

/**
 * What another program keeps in a file: a projected service account token of Kubernetes, or what `spiffe-helper` writes. The file is
 * read each time a token is needed, so it may be replaced.
 */
export const fileIdentity = (path: string, id?: string): IdentitySource =>
  Object.assign(async () => withoutEnd(await readFile(path, 'utf8'), path), id === undefined ? {} : { id });

function withoutEnd(text: string, path: string): string {
  const token = text.trim();
  if (token.length > MAX_TOKEN_CHARACTERS || !/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token))
    throw new AgentError('ERR_SVID_MALFORMED', 'the file holds no token', { path });
  return token;
}
