/**
 * An access token in use. It is for one service, and of use only with a fresh proof for each request (RFC 9449), so it stays in here:
 * `fetch` sends both, to that service alone.
 */
import { anySignal } from '#events/any-signal.js';
import type { Secret } from '#providers/secret.js';
import { AgentError } from './agent-error.js';
import { dpopProof } from './dpop-proof.js';
import type { OpenedJwt } from './open-envelope.js';
import type { ProofKey } from './proof-key.js';
import type { Renew, RenewOptions } from './renewal.js';
import { secureUrl } from './secure-url.js';

export interface TokenCredentialParts {
  opened: OpenedJwt;
  /** That with which the agent called. */
  key: ProofKey;
  /** Aborted when the task is over. */
  signal: AbortSignal;
  /** Gives the token that takes the place of this one. */
  renew: Renew<OpenedJwt>;
  fetch?: typeof globalThis.fetch;
  clock?: () => number;
}

export class TokenCredential {
  readonly kind = 'jwt';
  readonly leaseId: string;
  /** The one service that takes it: `aud`. */
  readonly audience: string;
  readonly #parts: Required<TokenCredentialParts>;
  #opened: OpenedJwt;
  #nonce: string | undefined;

  constructor(parts: TokenCredentialParts) {
    const { opened } = parts;
    this.leaseId = opened.leaseId;
    this.#opened = opened;
    this.audience = audienceOf(opened.token.reveal());
    this.#parts = { fetch: globalThis.fetch, clock: Date.now, ...parts };
  }

  /** RFC 3339. A later one after a renewal. */
  get notAfter(): string {
    return this.#opened.notAfter;
  }

  /**
   * For clients that cannot take `fetch`: the token, to be revealed in the header `Authorization` and nowhere else. After a renewal it
   * is another; the earlier one ends when it would have.
   */
  get token(): Secret {
    return this.#opened.token;
  }

  /** Lets it live longer, by another token for the same. @returns the new end. @throws as `Task.credential` does */
  async renew(options: RenewOptions = {}): Promise<string> {
    this.#opened = await this.#parts.renew(options);
    return this.notAfter;
  }

  /**
   * Like the global `fetch`, with token and proof. What the service asks for by a nonce (RFC 9449 §9) is sent once more, unless the
   * body is a stream. Redirects are not followed: they would lead the token elsewhere.
   * @throws AgentError ERR_TOKEN_OTHER_AUDIENCE before anything is sent; ERR_TASK_OVER; what `fetch` throws
   */
  readonly fetch = async (input: string | URL, init: RequestInit = {}): Promise<Response> => {
    const url = this.#demandAudience(input);
    const first = await this.#send(url, init);
    const isAsked =
      first.status === 401 && /\berror="?use_dpop_nonce\b/.test(first.headers.get('www-authenticate') ?? '');
    if (!isAsked || this.#nonce === undefined || !isRepeatable(init.body)) return first;
    await first.body?.cancel();
    return this.#send(url, init);
  };

  /** The header `DPoP` of one request, for clients of another kind. The method as it is sent: in capitals. */
  proof(method: string, url: string | URL, nonce: string | undefined = this.#nonce): string {
    const { key, clock } = this.#parts;
    return dpopProof(key, { method, url, token: this.token.reveal(), nonce }, clock());
  }

  async #send(url: URL, init: RequestInit): Promise<Response> {
    const { signal, fetch } = this.#parts;
    signal.throwIfAborted();
    const method = (init.method ?? 'GET').toUpperCase();
    const headers = new Headers(init.headers);
    headers.set('authorization', `DPoP ${this.token.reveal()}`);
    headers.set('dpop', this.proof(method, url));
    const response = await fetch(url, {
      ...init,
      method,
      headers,
      redirect: init.redirect === 'manual' ? 'manual' : 'error',
      signal: init.signal == null ? signal : anySignal(init.signal, signal),
    });
    this.#nonce = response.headers.get('dpop-nonce') ?? this.#nonce;
    return response;
  }

  /** An agent that is talked into calling somebody else has nothing with it. */
  #demandAudience(input: string | URL): URL {
    const url = secureUrl(input);
    const own = URL.canParse(this.audience) ? new URL(this.audience).origin : undefined;
    if (own !== url.origin)
      throw new AgentError('ERR_TOKEN_OTHER_AUDIENCE', 'the token is for another service', {
        audience: this.audience,
        origin: url.origin,
      });
    return url;
  }
}

const isRepeatable = (body: RequestInit['body']) => !(body instanceof ReadableStream);

/** Of our own token, not verified: the service does that. @throws AgentError ERR_ENVELOPE_INVALID */
function audienceOf(token: string): string {
  try {
    const { aud } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as {
      aud?: unknown;
    };
    if (typeof aud === 'string') return aud;
  } catch {
    // Falls through: a parser's message would quote the token.
  }
  throw new AgentError('ERR_ENVELOPE_INVALID', 'the token in the envelope is for nobody');
}
