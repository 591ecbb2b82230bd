/**
 * PostgreSQL 16 and later: a lease is a login role of its own, a member of policy roles (docs/providers/postgres).
 * The broker's process and the revoker's open the same adapter with a login each.
 */
import type { Log } from '#telemetry/log.js';
import {
  ProviderError,
  type CreateAnswer,
  type CredentialProvider,
  type CutReport,
  type Observation,
  type Plan,
} from '../provider.js';
import type { TargetSettings } from '../target-settings.js';
import { checkCreate, checkPlan, type CheckedCreate } from './checked-plan.js';
import { clean } from './clean.js';
import { create } from './create.js';
import { cut } from './cut.js';
import { list } from './list.js';
import { lookAt } from './look.js';
import { principalOf } from './name.js';
import { closePools, openPools, type Pools } from './pools.js';

/** Connects at first use. */
export const openPostgres = (settings: TargetSettings, log: Log): CredentialProvider =>
  new PostgresProvider(settings, log);

class PostgresProvider implements CredentialProvider {
  readonly kind = 'postgres';
  readonly fencing = 'fenced';
  readonly #settings: TargetSettings;
  readonly #log: Log;
  readonly #pools: Pools;

  constructor(settings: TargetSettings, log: Log) {
    this.#settings = settings;
    this.#log = log;
    this.#pools = openPools(settings, log);
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
    return create(this.#pools.create, checked, this.#settings, this.#log.child({ leaseId: plan.leaseId }));
  }

  async cut(plan: Plan): Promise<CutReport> {
    const checked = checkPlan(plan, this.#settings);
    return cut(this.#pools, checked, this.#settings.issuerRole, this.#log.child({ leaseId: plan.leaseId }));
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
    return clean(this.#pools.tidy, checkPlan(plan, this.#settings), this.#settings.issuerRole);
  }

  list(): AsyncIterable<{ principal: string; leaseId: string }> {
    return list(this.#pools.tidy, this.#settings.namespace);
  }

  close(): Promise<void> {
    return closePools(this.#pools);
  }
}
