/**
 * Tokens of our own (docs/providers/jwt). The broker's process signs them, the revoker's tells verifiers which are dead: the set of
 * what it told is the fence, so a token that is signed after the cut is dead before anybody sees it.
 */
/* eslint-disable @typescript-eslint/require-await -- a plan that is none must reject, where nothing is waited for as elsewhere */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Log } from '#telemetry/log.js';
import { SHORTEST_LEASE_MS } from '../any-target.js';
import {
  ProviderError,
  type Capabilities,
  type CreateAnswer,
  type CredentialProvider,
  type CutReport,
  type Observation,
  type Plan,
  type RenewAnswer,
} from '../provider.js';
import { checkCreate, checkPlan, checkRenewal, instant } from './checked-plan.js';
import { create, renew } from './create.js';
import type { RevocationOutlet } from './revocation-outlet.js';
import type { JwtSettings } from './settings.js';
import type { TokenSigner } from './token-signer.js';

/** Each process has its own: whoever has none of them can neither make a token nor take one back. */
export interface JwtMeans {
  signer?: TokenSigner;
  outlet?: RevocationOutlet;
  /** How far a verifier's clock may be behind: until then a token that is over may still be taken. */
  maxClockSkewMs: number;
}

const LOOKS = 2;
const LOOK_AGAIN_MS = 2;
const INCARNATION = 'revocations';

export const openJwt = (settings: JwtSettings, log: Log, means: JwtMeans): CredentialProvider =>
  new JwtProvider(settings, log, means);

class JwtProvider implements CredentialProvider {
  readonly kind = 'jwt';
  readonly fencing = 'fenced';
  readonly capabilities: Capabilities;
  /** Leases that a token was signed for, until no create of theirs may come any more: one lease, one token. */
  readonly #signed = new Map<string, number>();

  constructor(
    private readonly settings: JwtSettings,
    private readonly log: Log,
    private readonly means: JwtMeans,
  ) {
    this.capabilities = {
      naming: 'by_lease',
      expiry: 'every_use',
      cut: 'refuses_next_use',
      list: false,
      renew: true,
      leaves: 'nothing',
      ttl: { minMs: SHORTEST_LEASE_MS, maxMs: settings.maxTtlMs },
    };
  }

  /** The token's id is the lease's. */
  principal(leaseId: string): string {
    return leaseId;
  }

  /** Signing is all there is, so whatever goes wrong is an answer: nothing was made. */
  async create(plan: Plan): Promise<CreateAnswer> {
    const nowMs = Date.now();
    try {
      const checked = checkCreate(plan, this.settings);
      const signer = this.#signer();
      if (this.#signed.has(plan.leaseId)) return { answer: 'refused', code: 'ERR_PRINCIPAL_EXISTS' };
      const answer = create(checked, signer, nowMs);
      if (answer.answer === 'created') this.#remember(plan.leaseId, checked.createByMs, nowMs);
      return answer;
    } catch (error) {
      this.log.error({ err: error, leaseId: plan.leaseId }, 'a token cannot be made');
      return { answer: 'refused', code: error instanceof ProviderError ? error.code : 'ERR_PLAN_INVALID' };
    }
  }

  /** What is dead is not known here: a token of a dead lease is dead, whenever it was signed. */
  async renew(plan: Plan, notAfter: string): Promise<RenewAnswer> {
    try {
      return renew(checkRenewal(plan, notAfter, this.settings), this.#signer(), Date.now());
    } catch (error) {
      this.log.error({ err: error, leaseId: plan.leaseId }, 'a token cannot be made anew');
      return { answer: 'refused', code: error instanceof ProviderError ? error.code : 'ERR_PLAN_INVALID' };
    }
  }

  #signer(): TokenSigner {
    const { signer } = this.means;
    if (signer === undefined)
      throw new ProviderError('ERR_TARGET_MISCONFIGURED', 'this process signs no tokens');
    return signer;
  }

  #remember(leaseId: string, createByMs: number, nowMs: number): void {
    this.#signed.set(leaseId, createByMs);
    // In the order in which they came in, so the first that is not over ends the search.
    for (const [each, untilMs] of this.#signed) {
      if (untilMs > nowMs) break;
      this.#signed.delete(each);
    }
  }

  async cut(plan: Plan): Promise<CutReport> {
    checkPlan(plan, this.settings);
    if (!this.#isOver(plan)) await this.#revoke(plan);
    let observation = this.#look(plan);
    let emptyObservations = 0;
    for (let looks = 1; ; looks += 1) {
      emptyObservations = isWithoutAccess(observation) ? emptyObservations + 1 : 0;
      if (looks === LOOKS) return { observation, emptyObservations, sessionsEnded: 0 };
      await sleep(LOOK_AGAIN_MS);
      observation = this.#look(plan);
    }
  }

  /** The end of its task, or of its generation, has been told for all its leases at once: then there is nothing to add. */
  async #revoke(plan: Plan): Promise<void> {
    const { outlet } = this.means;
    if (outlet === undefined)
      throw new ProviderError('ERR_TARGET_MISCONFIGURED', 'this process cannot tell verifiers');
    if (outlet.look(leaseOf(plan)) === 'dead') return;
    try {
      // No token of this lease is longer than the lease. One that was renewed, and it was not heard yet, is told of when it is heard.
      const { leaseId: id, notAfter } = plan;
      await outlet.revoke({ what: 'lease', id, generationBelow: null, notAfter, reason: 'lease_revoked' });
    } catch (cause) {
      throw new ProviderError('ERR_TARGET_UNREACHABLE', 'verifiers cannot be told', { cause });
    }
  }

  async observe(plan: Plan): Promise<Observation> {
    checkPlan(plan, this.settings);
    return this.#look(plan);
  }

  /** Nothing of a token lies anywhere but with its agent, so there is nothing to drop. What says that it is dead stays until it is over. */
  async clean(plan: Plan): Promise<Observation> {
    checkPlan(plan, this.settings);
    const seen = this.#look(plan);
    if (seen.state === 'live') throw new ProviderError('ERR_TARGET_REFUSED', 'token is alive: cut it first');
    return isWithoutAccess(seen) ? { ...seen, state: 'absent' } : seen;
  }

  /** Nobody keeps a list of tokens: the ledger is the list, and whatever it does not know was never signed by us. */
  async *list(): AsyncGenerator<{ principal: string; leaseId: string }> {
    yield* [];
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #look(plan: Plan): Observation {
    const state = this.#isOver(plan) ? 'absent' : this.#state(plan);
    const seen = state === 'unknown' ? 0 : 1;
    return {
      state,
      sessions: state === 'unknown' ? null : 0,
      atMs: Date.now(),
      incarnation: INCARNATION,
      nodes: { seen, expected: 1 },
    };
  }

  #state(plan: Plan): 'disabled' | 'live' | 'unknown' {
    const verdict = this.means.outlet?.look(leaseOf(plan)) ?? 'unknown';
    return verdict === 'dead' ? 'disabled' : verdict;
  }

  /** By then every verifier's clock says that it has expired. */
  #isOver({ notAfter }: Plan): boolean {
    return Date.now() >= instant(notAfter, 'notAfter') + this.means.maxClockSkewMs;
  }
}

const isWithoutAccess = ({ state }: Observation) => state === 'disabled' || state === 'absent';

const leaseOf = ({ leaseId, token }: Plan) => ({
  leaseId,
  agent: token?.agent ?? null,
  agentGeneration: token?.agentGeneration,
  lineage: token?.lineage ?? [],
});
