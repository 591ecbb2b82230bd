/** Parameters of a request to an OAuth endpoint: each at most once (RFC 6749 §3.2), and one without a value counts as not given. */
import type { IncomingMessage } from 'node:http';
import { TransportError } from '../problems.js';
import { readBody } from '../read-body.js';
import { OAuthError } from './oauth-error.js';

export const MAX_FORM_BYTES = 16_384;
const MAX_PARAMETERS = 32;
const MEDIA_TYPE = /^application\/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?$/i;

export type Form = ReadonlyMap<string, string>;

/** @throws TransportError, OAuthError ERR_FORM_INVALID */
export async function readForm(request: IncomingMessage): Promise<Form> {
  if (!MEDIA_TYPE.test(request.headers['content-type'] ?? ''))
    throw new TransportError('ERR_MEDIA_TYPE', 'parameters are sent as application/x-www-form-urlencoded');
  return parseForm(await readBody(request, MAX_FORM_BYTES));
}

/** @throws OAuthError ERR_FORM_INVALID */
export function parseForm(body: Buffer): Form {
  const form = new Map<string, string>();
  let count = 0;
  for (const [name, value] of new URLSearchParams(body.toString('latin1'))) {
    count += 1;
    if (count > MAX_PARAMETERS) throw invalid('too many parameters');
    if (value === '') continue;
    if (form.has(name)) throw invalid('a parameter is given twice');
    form.set(name, value);
  }
  return form;
}

const invalid = (description: string) => new OAuthError('invalid_request', 'ERR_FORM_INVALID', description);
