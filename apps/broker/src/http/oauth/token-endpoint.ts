/**
 * `POST /oauth/token`: a token exchange (RFC 8693) with a DPoP proof (RFC 9449). It is a call like any other: the client is the
 * agent, its DPoP key is its key in the task, and what is made is sealed to a key that this request alone holds.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { v7 as uuidv7 } from 'uuid';
import type { BusRecord } from '#bus/bus.js';
import { writeHeaders } from '#events/envelope.js';
import { wireType, type ToolCalled } from '#events/inbound.js';
import type { Refusal } from '#events/refusal.js';
import { TASK_EVENTS } from '#events/topics.js';
import type { Admitted } from '#identity/admit.js';
import { DPOP_WINDOW_MS, verifyDpop, type DpopProof } from '#identity/dpop.js';
import { readInboundData } from '#identity/inbound-data.js';
import { PassingKey } from '#identity/passing-key.js';
import { readAccessToken } from '#tokens/access-token.js';
import type { BrokerParts } from '../../broker-parts.js';
import type { Tokens } from '../../tokens/open-tokens.js';
import { refusalOf } from '../answer-refusal.js';
import { answerCall, keyOf } from '../call-answer.js';
import type { EventPump } from '../event-pump.js';
import { OVER_HTTP } from '../event-record.js';
import { json, type Reply } from '../reply.js';
import type { RequestsAtOnce } from '../requests-at-once.js';
import { checkSubject, clientOf, type Client } from './client.js';
import { ACCESS_TOKEN, checkGrant, readExchange } from './exchange-request.js';
import { readForm } from './form.js';
import { OAuthError, refused } from './oauth-error.js';
import type { UsedProofs } from './used-proofs.js';

export interface TokenEndpointParts {
  parts: BrokerParts;
  tokens: Tokens;
  pump: EventPump;
  atOnce: RequestsAtOnce;
  used: UsedProofs;
  answerWithinMs: number;
}

export class TokenEndpoint {
  constructor(private readonly given: TokenEndpointParts) {}

  /** What every reply carries, so that the next proof has one that counts. */
  nonceHeaders(nowMs: number): Record<string, string> {
    return { 'DPoP-Nonce': this.given.tokens.nonces.at(nowMs) };
  }

  /** @throws OAuthError, TransportError */
  async answer(request: IncomingMessage): Promise<Reply> {
    const { parts, tokens, atOnce } = this.given;
    const nowMs = Date.now();
    const form = await readForm(request);
    checkGrant(form);
    if (request.headers.authorization !== undefined)
      throw new OAuthError(
        'invalid_client',
        'ERR_CLIENT_MISSING',
        'a client proves itself by client_assertion',
      );
    const { issuer } = tokens.keys;
    const trust = { trust: parts.trust, issuer };
    const client = clientOf(form, trust, nowMs);
    const proof = this.#proofOf(request, nowMs);
    const asked = readExchange(form, parts.catalogue);
    try {
      checkSubject(form, client, trust, nowMs);
    } catch (error) {
      this.#noteImpersonation(error, asked, client);
      throw error;
    }
    return await atOnce.ofSender(client.id, async () => {
      await this.#useOnce(client, proof).catch((error: unknown) => {
        this.#noteImpersonation(error, asked, client);
        throw error;
      });
      return await this.#exchange(asked, client, proof);
    });
  }

  #proofOf({ headers }: IncomingMessage, nowMs: number): DpopProof {
    const { nonces, keys } = this.given.tokens;
    const { dpop } = headers;
    if (typeof dpop !== 'string')
      throw new OAuthError('invalid_dpop_proof', 'ERR_DPOP_MISSING', 'there is no DPoP proof');
    const url = `${keys.issuer}/oauth/token`;
    const proof = verifyDpop(dpop, { method: 'POST', url, nonces }, nowMs);
    if (proof.ok) return proof;
    const { code, reason } = proof.refusal;
    throw new OAuthError(code === 'ERR_DPOP_NONCE' ? 'use_dpop_nonce' : 'invalid_dpop_proof', code, reason);
  }

  async #useOnce({ sha256, expiresAtMs }: Client, { jkt, jti, iatMs }: DpopProof): Promise<void> {
    const used = await this.given.used.use({
      ...{ jkt, jti, proofUntilMs: iatMs + DPOP_WINDOW_MS },
      ...{ assertionSha256: sha256, assertionUntilMs: expiresAtMs },
    });
    if (used === 'replayed')
      throw new OAuthError('invalid_dpop_proof', 'ERR_DPOP_REPLAYED', 'the proof was used before');
    if (used === 'of_other_key')
      throw new OAuthError(
        'invalid_client',
        'ERR_ASSERTION_OF_OTHER_KEY',
        'the assertion came with another key before',
      );
  }

  /** Somebody came with what is another's. It is written down, and under no name: nobody has proved to be anybody. */
  #noteImpersonation(error: unknown, asked: Asked, client: Client): void {
    const refusal = error instanceof OAuthError ? IMPERSONATIONS[error.code] : undefined;
    if (refusal === undefined) return;
    const record = recordOf(asked, client, uuidv7(), Date.now());
    this.given.pump.note({ record, said: { ok: false, refusal } });
  }

  async #exchange(asked: Asked, client: Client, { jkt }: DpopProof): Promise<Reply> {
    const { parts, pump, answerWithinMs } = this.given;
    const passing = new PassingKey();
    const reading = readInboundData('tool.called', { ...asked, sealTo: passing.publicJwk }, client.id);
    if (!reading.ok) throw refused(reading.refusal.code, reading.refusal.reason);
    const call = reading.event.data as ToolCalled;
    const read = callOf(call, client, jkt, Date.now());
    const key = keyOf(call, client.id);
    const answer = await answerCall(parts, key, () => pump.take(read), answerWithinMs);
    if (answer.is !== 'issued') {
      const { refusal } = refusalOf(answer);
      throw refused(refusal.code, refusal.reason);
    }
    return tokenReply(passing.open(answer.envelope), Date.now());
  }
}

type Asked = Omit<ToolCalled, 'sealTo'>;

/** What of the codes of OAuth is told in the words of the bus. */
const IMPERSONATIONS: Partial<Record<OAuthError['code'], Refusal>> = {
  ERR_SUBJECT_NOT_CLIENT: {
    code: 'ERR_SOURCE_MISMATCH',
    reason: 'a token was asked for with the subject token of somebody else',
  },
  ERR_ASSERTION_OF_OTHER_KEY: {
    code: 'ERR_KEY_CHANGED',
    reason: 'a token was asked for with an assertion that came with another key before',
  },
};

const CALLED = wireType('tool.called');

/** The call as it would have come over the bus. Nothing in it is a secret: it may have to be written down. */
const recordOf = (call: Asked, { id }: Client, ceId: string, nowMs: number): BusRecord => ({
  topic: TASK_EVENTS,
  ...OVER_HTTP,
  appendedAtMs: nowMs,
  key: Buffer.from(call.taskId),
  value: Buffer.from(JSON.stringify(call)),
  headers: writeHeaders({
    ...{ id: ceId, source: id, type: CALLED, subject: call.taskId },
    ...{ time: new Date(nowMs).toISOString(), contentType: 'application/json' },
  }),
});

function callOf(call: ToolCalled, client: Client, jkt: string, nowMs: number) {
  const { id: sender, sha256 } = client;
  const ceId = uuidv7();
  const record = recordOf(call, client, ceId, nowMs);
  const value = record.value ?? '';
  const admitted: Admitted = {
    event: { type: 'tool.called', data: call },
    ceId,
    wireType: CALLED,
    sender,
    proofKeyThumbprint: jkt,
    svidSha256: sha256,
    svidExpired: false,
    valueSha256: createHash('sha256').update(value).digest('hex'),
    appendedAtMs: nowMs,
    cannotWait: true,
  };
  return { record, said: { ok: true as const, admitted } };
}

/** @throws Error for what no broker seals: a bug, or somebody changed the database. */
function tokenReply(credential: Record<string, unknown> | undefined, nowMs: number): Reply {
  const token = credential?.kind === 'jwt' ? credential.token : undefined;
  const reading = typeof token === 'string' ? readAccessToken(token) : undefined;
  if (reading?.ok !== true) throw new Error('the envelope of a token holds none');
  const { exp, authorization_details } = reading.claims;
  return json(
    200,
    {
      access_token: token,
      issued_token_type: ACCESS_TOKEN,
      token_type: 'DPoP',
      expires_in: Math.max(0, Math.floor(exp - nowMs / 1_000)),
      authorization_details,
    },
    { Pragma: 'no-cache' },
  );
}
