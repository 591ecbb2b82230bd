/** Asks the broker whether a token is active (RFC 7662), where the own sources do not know. */
import { isObject, parseJson } from '#identity/bytes.js';
import type { AccessTokenClaims } from '#tokens/access-token.js';
import { fetchDocument, secureUrl, type Fetch } from './fetch-document.js';

/** @throws Error where there was no answer, or none that can be read. */
export type Introspect = (token: string, claims: AccessTokenClaims) => Promise<'active' | 'inactive'>;

export interface IntrospectionSettings {
  url: string;
  /** Client authentication of this service, made anew for each request: headers, or parameters such as `client_assertion`. */
  authenticate: () => Promise<{ headers?: Record<string, string>; parameters?: Record<string, string> }>;
  timeoutMs?: number;
  fetch?: Fetch;
}

const MAX_REPLY_BYTES = 65_536;
const TIMEOUT_MS = 2_000;
/** Requests at once; what is more is not known, rather than waited for. */
const MAX_AT_ONCE = 64;

/** @throws TypeError for a URL in clear: the token would be in it for all to read. */
export function createIntrospection(settings: IntrospectionSettings): Introspect {
  const url = secureUrl(settings.url);
  const { authenticate, fetch, timeoutMs = TIMEOUT_MS } = settings;
  let underWay = 0;

  const ask = async (token: string): Promise<Record<string, unknown>> => {
    const { headers = {}, parameters = {} } = await authenticate();
    const body = new URLSearchParams({ ...parameters, token, token_type_hint: 'access_token' });
    const bytes = await fetchDocument({
      url,
      accept: 'application/json',
      maxBytes: MAX_REPLY_BYTES,
      timeoutMs,
      ...(fetch && { fetch }),
      post: {
        headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
        body: body.toString(),
      },
    });
    const reply = parseJson(bytes);
    if (!reply.ok || !isObject(reply.value)) throw new Error('the answer is no JSON object');
    return reply.value;
  };

  return async (token, claims) => {
    if (underWay >= MAX_AT_ONCE) throw new Error('too many introspections at once');
    underWay += 1;
    try {
      const reply = await ask(token);
      if (reply.active === false) return 'inactive';
      // The answer must be about this token: a proxy that mixes two up would make a dead one live.
      const isAbout = reply.jti === claims.jti && isObject(reply.cnf) && reply.cnf.jkt === claims.cnf.jkt;
      if (reply.active !== true || !isAbout) throw new Error('the answer is not about this token');
      return 'active';
    } finally {
      underWay -= 1;
    }
  };
}
