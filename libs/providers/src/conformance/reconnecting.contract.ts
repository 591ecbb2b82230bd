/**
 * A client that logs in again and again, on many connections at once, and does at once what could make it outlive its login. A
 * survivor is a connection on which something was done that was begun after the cut had said that there is no access.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credential } from '../provider.js';
import type { AgentSession, ProviderHarness, Scale } from './harness.contract.js';
import { isProof } from './proof.contract.js';

const USES_OF_A_SESSION = 3;
const LOGIN_AGAIN_MS = 2;
/** So often each connection tries to get in after the cut before it gives up. */
const TRIES_AFTERWARDS = 4;

export interface Trials {
  trials: number;
  survivors: number;
  /** Cuts that did not say that there is no access. */
  unproven: number;
}

export async function reconnectTrials(
  harness: ProviderHarness,
  { trials, connections }: Pick<Scale, 'trials' | 'connections'>,
): Promise<Trials> {
  const found: Trials = { trials, survivors: 0, unproven: 0 };
  for (let trial = 0; trial < trials; trial += 1) {
    const plan = harness.plan();
    const answer = await harness.broker.create(plan);
    if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
    const client = new ReconnectingClient(harness, answer.credential, connections);
    await client.inside;
    if (!isProof(await harness.revoker.cut(plan))) found.unproven += 1;
    found.survivors += await client.survivors();
    await harness.revoker.clean(plan);
  }
  return found;
}

class ReconnectingClient {
  /** Resolves once something was done. */
  readonly inside: Promise<void>;
  #isInside: () => void = () => undefined;
  readonly #connections: Promise<boolean>[];
  #isCut = false;

  constructor(
    private readonly harness: ProviderHarness,
    private readonly credential: Credential,
    connections: number,
  ) {
    this.inside = new Promise((resolve) => (this.#isInside = resolve));
    this.#connections = Array.from({ length: connections }, () => this.#keepConnecting());
  }

  /** Requires that the cut is over. */
  async survivors(): Promise<number> {
    this.#isCut = true;
    return (await Promise.all(this.#connections)).filter((survived) => survived).length;
  }

  /** @returns whether anything succeeded that was begun after the cut */
  async #keepConnecting(): Promise<boolean> {
    for (let afterwards = 0; afterwards < TRIES_AFTERWARDS;) {
      if (this.#isCut) afterwards += 1;
      const isBegunAfterwards = this.#isCut;
      const session = await this.harness.login(this.credential).catch(() => null);
      if (session === null) await sleep(LOGIN_AGAIN_MS);
      else if ((await this.#use(session)) || isBegunAfterwards) return true;
    }
    return false;
  }

  async #use(session: AgentSession): Promise<boolean> {
    try {
      await session.escape?.().catch(() => undefined);
      for (let uses = 0; uses < USES_OF_A_SESSION; uses += 1) {
        const isBegunAfterwards = this.#isCut;
        await session.use();
        this.#isInside();
        if (isBegunAfterwards) return true;
      }
    } catch {
      // Ended, or not let in.
    } finally {
      await session.close().catch(() => undefined);
    }
    return false;
  }
}
