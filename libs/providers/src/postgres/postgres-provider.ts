/**
 * PostgreSQL 16 and later: a lease is a login role of its own, a member of policy roles (docs/providers/postgres).
 * The broker's process and the revoker's open the same adapter with a login each.
 */
import type { GovernedAction, StandingAccess } from '#events/standing-access.js';
import type { Log } from '#telemetry/log.js';
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
import type { TellsIncarnation, TellsStandingAccess } from '../target-survey.js';
import { SHORTEST_LEASE_MS } from '../any-target.js';
import type { PostgresSettings } from './settings.js';
import {
  checkCreate,
  checkPlan,
  checkRenewal,
  type CheckedCreate,
  type CheckedPlan,
} from './checked-plan.js';
import { clean } from './clean.js';
import { create } from './create.js';
import { Cutter } from './cut.js';
import { asProviderError } from './errors.js';
import { issuerOf } from './issuer.js';
import { list } from './list.js';
import { lookAt } from './look.js';
import { principalOf } from '../principal-name.js';
import { renew } from './renew.js';
import { closePools, openPools, warmPools, type Pools } from './pools.js';
import { Pump } from '../pump.js';
import { INCARNATION } from './sql.js';
import { standingAccess } from './standing-access.js';

/** Of creates with the same rights: the server makes them wait for each other, message by message, so two are enough. */
const CREATES = { flushes: 2, batch: 8 };
/** Leaves a connection for looking. */
const CLEANS = { flushes: 2, batch: 64, fullAloneMs: 500 };

/** Begins to connect, and does not wait for it. */
export const openPostgres = (settings: PostgresSettings, log: Log): CredentialProvider =>
  new PostgresProvider(settings, log);

class PostgresProvider implements CredentialProvider, TellsIncarnation, TellsStandingAccess {
  readonly kind = 'postgres';
  readonly fencing = 'fenced';
  readonly capabilities: Capabilities;
  readonly #settings: PostgresSettings;
  readonly #log: Log;
  readonly #pools: Pools;
  /** By the rights they carry: two messages must not lock policy roles in opposite order. */
  readonly #creates = new Map<string, Pump<CheckedCreate, CreateAnswer>>();
  readonly #cleans: Pump<CheckedPlan, Observation | ProviderError>;
  readonly #cutter: Cutter;

  constructor(settings: PostgresSettings, log: Log) {
    this.#settings = settings;
    this.capabilities = {
      naming: 'by_lease',
      expiry: 'new_logins',
      cut: 'ends_sessions',
      list: true,
      renew: true,
      ttl: { minMs: SHORTEST_LEASE_MS, maxMs: settings.maxTtlMs },
    };
    this.#log = log;
    this.#pools = openPools(settings, log);
    warmPools(this.#pools, log);
    // After each drop the server reads anew what creators have made before it lets us become another one.
    const kindOf = ({ leaseId }: CheckedPlan) => issuerOf(leaseId, settings.issuerShards);
    this.#cleans = new Pump({ ...CLEANS, kindOf }, (plans) => clean(this.#pools.tidy, plans));
    this.#cutter = new Cutter(this.#pools, settings.issuerShards, log);
  }

  principal(leaseId: string): string {
    return principalOf(this.#settings.namespace, leaseId);
  }

  async create(plan: Plan): Promise<CreateAnswer> {
    let checked: CheckedCreate;
    try {
      checked = checkCreate(plan, this.#settings);
    } catch (error) {
      this.#log.error({ err: error, leaseId: plan.leaseId }, 'plan cannot be created');
      return { answer: 'refused', code: error instanceof ProviderError ? error.code : 'ERR_PLAN_INVALID' };
    }
    return this.#createsOf(checked.rights).push(checked);
  }

  #createsOf(rights: readonly string[]): Pump<CheckedCreate, CreateAnswer> {
    const key = rights.join(' ');
    const known = this.#creates.get(key);
    if (known !== undefined) return known;
    const pump = new Pump<CheckedCreate, CreateAnswer>(CREATES, (plans) =>
      create(this.#pools.create, plans, this.#settings, this.#log),
    );
    this.#creates.set(key, pump);
    return pump;
  }

  async renew(plan: Plan, notAfter: string): Promise<RenewAnswer> {
    try {
      return await renew(this.#pools.create, checkRenewal(plan, notAfter, this.#settings), this.#log);
    } catch (error) {
      this.#log.error({ err: error, leaseId: plan.leaseId }, 'lease cannot be renewed');
      return { answer: 'refused', code: error instanceof ProviderError ? error.code : 'ERR_PLAN_INVALID' };
    }
  }

  async cut(plan: Plan): Promise<CutReport> {
    return this.#cutter.cut(checkPlan(plan, this.#settings));
  }

  /** A target that cannot be looked at is an observation too: `unknown`. */
  async observe(plan: Plan): Promise<Observation> {
    const checked = checkPlan(plan, this.#settings);
    try {
      return (await lookAt(this.#pools.tidy, checked)).observation;
    } catch (error) {
      this.#log.warn({ err: error, leaseId: plan.leaseId }, 'target cannot be looked at');
      return {
        state: 'unknown',
        sessions: null,
        atMs: Date.now(),
        incarnation: '',
        nodes: { seen: 0, expected: 1 },
      };
    }
  }

  async clean(plan: Plan): Promise<Observation> {
    const cleaned = await this.#cleans.push(checkPlan(plan, this.#settings));
    if (cleaned instanceof ProviderError) throw cleaned;
    return cleaned;
  }

  list(): AsyncIterable<{ principal: string; leaseId: string }> {
    return list(this.#pools.survey, this.#settings.namespace);
  }

  async incarnation(): Promise<string> {
    try {
      const { rows } = await this.#pools.survey.query<{ incarnation: string }>(
        `SELECT ${INCARNATION} AS incarnation`,
      );
      return rows[0]?.incarnation ?? '';
    } catch (error) {
      throw asProviderError(error);
    }
  }

  standingAccess(governed: readonly GovernedAction[]): AsyncIterable<StandingAccess> {
    const { namespace, login } = this.#settings;
    return standingAccess(this.#pools.survey, { namespace, own: login.user }, governed);
  }

  close(): Promise<void> {
    return closePools(this.#pools);
  }
}
