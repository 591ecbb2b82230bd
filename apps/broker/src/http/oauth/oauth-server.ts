/** The authorization server: its endpoints, each with what it needs. */
import type { IncomingMessage } from 'node:http';
import type { LifeSource } from '#verifier/life.js';
import type { BrokerParts } from '../../broker-parts.js';
import type { Route } from '../../measures.js';
import type { Tokens } from '../../tokens/open-tokens.js';
import type { EventPump } from '../event-pump.js';
import { json, type Reply } from '../reply.js';
import type { RequestsAtOnce } from '../requests-at-once.js';
import { giveBack } from './give-back.js';
import { introspect } from './introspect.js';
import { KnownTokens } from './known-token.js';
import { metadataOf } from './metadata.js';
import { errorReply, failureReply, OAuthError } from './oauth-error.js';
import { TokenEndpoint } from './token-endpoint.js';
import { UsedProofs } from './used-proofs.js';

export interface OAuthServerParts {
  parts: BrokerParts;
  tokens: Tokens;
  pump: EventPump;
  atOnce: RequestsAtOnce;
  /** What the revoker published. */
  lives: LifeSource;
  isPrivate: (request: IncomingMessage) => boolean;
  answerWithinMs: number;
}

export class OAuthServer {
  readonly #token: TokenEndpoint;
  readonly #known: KnownTokens;

  constructor(private readonly given: OAuthServerParts) {
    this.#token = new TokenEndpoint({ ...given, used: new UsedProofs(given.parts.db) });
    this.#known = new KnownTokens(given.tokens.keys);
  }

  async token(request: IncomingMessage): Promise<Reply> {
    const reply = await this.#reply('token', request, () => this.#token.answer(request));
    return { ...reply, headers: { ...reply.headers, ...this.#token.nonceHeaders(Date.now()) } };
  }

  introspect(request: IncomingMessage): Promise<Reply> {
    const { parts, lives } = this.given;
    const { catalogue } = parts;
    return this.#reply('introspect', request, () =>
      introspect(request, { client: this.#clients(), catalogue, known: this.#known, lives }),
    );
  }

  revoke(request: IncomingMessage): Promise<Reply> {
    const { parts } = this.given;
    return this.#reply('revoke', request, () =>
      giveBack(request, { client: this.#clients(), known: this.#known, parts }),
    );
  }

  metadata(): Reply {
    return json(200, metadataOf(this.given.tokens.keys.issuer), { 'Cache-Control': 'public, max-age=300' });
  }

  #clients() {
    return { trust: this.given.parts.trust, issuer: this.given.tokens.keys.issuer };
  }

  async #reply(route: Route, request: IncomingMessage, answer: () => Promise<Reply>): Promise<Reply> {
    const beganMs = performance.now();
    const reply = await this.#answerOrError(request, answer);
    this.given.parts.measures.answered(route, reply.status, performance.now() - beganMs);
    return reply;
  }

  /** Never rejects: what goes wrong is told in OAuth's own form. */
  async #answerOrError(request: IncomingMessage, answer: () => Promise<Reply>): Promise<Reply> {
    const { isPrivate, atOnce, parts } = this.given;
    try {
      if (!isPrivate(request))
        throw new OAuthError('invalid_request', 'ERR_TLS_REQUIRED', 'tokens are told over TLS alone');
      return await atOnce.answering(answer);
    } catch (error) {
      const reply = errorReply(error);
      if (reply !== undefined) return reply;
      parts.log.error({ err: error }, 'a request failed');
      return failureReply();
    }
  }
}
