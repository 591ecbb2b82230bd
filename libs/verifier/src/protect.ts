/** What the adapters for web frameworks have in common: an HTTP request in, a verdict and the answer to a refused one out. */
import type { RequestedAct, Verdict, Verifier } from './verifier.js';
import type { VerifierRefusal } from './refusal.js';

type HeaderValue = string | readonly string[] | undefined;

/** The part of Node's `IncomingMessage` that every framework hands on. */
export interface PresentedRequest {
  method?: string | undefined;
  headers: { authorization?: HeaderValue; dpop?: HeaderValue };
}

export interface ProtectSettings<Request> {
  verifier: Verifier;
  /** Scheme and host as clients know them, such as `https://orders.example`: from the configuration, for `Host` is the client's word. */
  origin: string;
  /** What this request is about to do, from what the service itself will use. It MUST NOT be decided by what the client merely claims. */
  act: (request: Request) => RequestedAct;
}

/**
 * @param target path and query as they came, before any router or mount point cut something off.
 * @throws what `act` throws, as a rejection: for the framework it is an error of the service, and nothing is let through.
 */
export async function checkRequest<Request>(
  { verifier, origin, act }: ProtectSettings<Request>,
  request: Request,
  { method = '', headers }: PresentedRequest,
  target: string,
): Promise<Verdict> {
  const { authorization, dpop } = headers;
  return verifier.check({
    ...act(request),
    method,
    url: `${origin}${target}`,
    // Two are one too many, whichever is the right one.
    authorization: typeof authorization === 'string' ? authorization : undefined,
    dpop,
  });
}

/** RFC 9457, with the stable code. */
export interface Problem {
  type: 'about:blank';
  title: string;
  status: number;
  code: string;
}

export interface RefusedAnswer {
  status: number;
  headers: Record<string, string>;
  problem: Problem;
}

export function answerTo({ code, reason, httpStatus, wwwAuthenticate }: VerifierRefusal): RefusedAnswer {
  return {
    status: httpStatus,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(wwwAuthenticate === undefined ? {} : { 'www-authenticate': wwwAuthenticate }),
      ...(httpStatus === 503 ? { 'retry-after': '1' } : {}),
    },
    problem: { type: 'about:blank', title: reason, status: httpStatus, code },
  };
}
