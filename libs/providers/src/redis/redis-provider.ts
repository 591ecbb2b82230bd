/**
 * Redis 7 and Valkey, and later: a lease is an ACL user of its own on every node (docs/providers/redis). The broker's process and the
 * revoker's open the same adapter with an account each.
 */
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
import { principalOf } from '../principal-name.js';
import { checkCreate, checkPlan, checkRenewal } from './checked-plan.js';
import { clean } from './clean.js';
import { create } from './create.js';
import { cut } from './cut.js';
import { list } from './list.js';
import { lookAt } from './look.js';
import { closeNodes, openNodes, warmNodes, type Node } from './nodes.js';
import { Pruner } from './prune.js';
import { renew } from './renew.js';
import type { RedisSettings } from './settings.js';

/** Begins to connect, and does not wait for it. */
export const openRedis = (settings: RedisSettings, log: Log): CredentialProvider =>
  new RedisProvider(settings, log);

class RedisProvider implements CredentialProvider {
  readonly kind = 'redis';
  readonly fencing = 'fenced';
  readonly capabilities: Capabilities;
  readonly #settings: RedisSettings;
  readonly #log: Log;
  readonly #nodes: readonly Node[];
  readonly #pruner: Pruner;

  constructor(settings: RedisSettings, log: Log) {
    this.#settings = settings;
    this.capabilities = {
      naming: 'by_lease',
      expiry: 'nothing',
      cut: 'ends_sessions',
      list: true,
      renew: true,
      ttl: { minMs: SHORTEST_LEASE_MS, maxMs: settings.maxTtlMs },
    };
    this.#log = log;
    this.#nodes = openNodes(settings, log);
    this.#pruner = new Pruner(settings.namespace, log);
    warmNodes(this.#nodes, log);
  }

  principal(leaseId: string): string {
    return principalOf(this.#settings.namespace, leaseId);
  }

  async create(plan: Plan): Promise<CreateAnswer> {
    try {
      return await create(this.#nodes, checkCreate(plan, this.#settings), this.#settings, this.#log);
    } catch (error) {
      return this.#refused(error, plan);
    }
  }

  async renew(plan: Plan, notAfter: string): Promise<RenewAnswer> {
    try {
      return await renew(this.#nodes, checkRenewal(plan, notAfter, this.#settings), this.#log);
    } catch (error) {
      return this.#refused(error, plan);
    }
  }

  /** Nothing was sent. */
  #refused(error: unknown, { leaseId }: Plan): { answer: 'refused'; code: string } {
    this.#log.error({ err: error, leaseId }, 'plan cannot be carried out');
    return { answer: 'refused', code: error instanceof ProviderError ? error.code : 'ERR_PLAN_INVALID' };
  }

  async cut(plan: Plan): Promise<CutReport> {
    return cut(this.#nodes, checkPlan(plan, this.#settings), this.#log);
  }

  async observe(plan: Plan): Promise<Observation> {
    return lookAt(this.#nodes, checkPlan(plan, this.#settings), this.#log);
  }

  async clean(plan: Plan): Promise<Observation> {
    const observation = await clean(this.#nodes, checkPlan(plan, this.#settings), this.#log);
    await this.#pruner.prune(this.#nodes);
    return observation;
  }

  list(): AsyncIterable<{ principal: string; leaseId: string }> {
    return list(this.#nodes, this.#settings.namespace);
  }

  close(): Promise<void> {
    return closeNodes(this.#nodes);
  }
}
