/**
 * One identity at work on one task: it has one proof key there, for Mayfly pins the first that it sees, and SVIDs that are fetched
 * anew before they run out.
 */
import type { OutgoingRecord } from '#bus/bus.js';
import type { InboundType } from '#events/inbound.js';
import { boundAudience } from '#identity/svid.js';
import { AgentError } from './agent-error.js';
import type { IdentitySource } from './identity-source.js';
import { ProofKey } from './proof-key.js';
import { signEvent, subjectOf } from './signed-event.js';
import type { EventToSign } from './signed-event.js';

const AUDIENCE = 'mayfly';
/** What it says next may lie in a queue for a while. */
const FRESH_FOR_MS = 30_000;

export type WhatToSay<T extends InboundType> = Pick<
  EventToSign<T>,
  'type' | 'data' | 'id' | 'principalToken'
>;

export class Speaker {
  #held: { svid: string; goodUntilMs: number } | undefined;
  #fetching: Promise<string> | undefined;

  constructor(
    private readonly source: IdentitySource,
    readonly key: ProofKey = ProofKey.generate(),
    private readonly clock: () => number = Date.now,
  ) {}

  /** SPIFFE id. @throws AgentError ERR_IDENTITY_UNAVAILABLE, ERR_SVID_MALFORMED */
  async id(): Promise<string> {
    return this.source.id ?? subjectOf(await this.#svid());
  }

  /** The event as it is to be sent at this moment. @throws as `id` does; ZodError for data that breaks its schema */
  async sign<T extends InboundType>(event: WhatToSay<T>): Promise<OutgoingRecord> {
    const svid = await this.#svid();
    const source = this.source.id === undefined ? {} : { source: this.source.id };
    return signEvent({ ...event, ...source, svid, key: this.key, nowMs: this.clock() });
  }

  async #svid(): Promise<string> {
    if (this.#held !== undefined && this.clock() < this.#held.goodUntilMs) return this.#held.svid;
    this.#fetching ??= this.#fetch().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetch(): Promise<string> {
    let svid: string;
    try {
      svid = await this.source(boundAudience(AUDIENCE, this.key.thumbprint));
    } catch (cause) {
      if (cause instanceof AgentError) throw cause;
      throw new AgentError(
        'ERR_IDENTITY_UNAVAILABLE',
        'the source of the identity gives no token',
        {},
        { cause },
      );
    }
    this.#held = { svid, goodUntilMs: expiryOf(svid) - FRESH_FOR_MS };
    return svid;
  }
}

/** Epoch ms, or 0 for what does not say: then it is asked for each time. Our own token, and Mayfly verifies it. */
function expiryOf(jwt: string): number {
  try {
    const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as {
      exp?: unknown;
    };
    return typeof claims.exp === 'number' ? claims.exp * 1000 : 0;
  } catch {
    return 0;
  }
}
