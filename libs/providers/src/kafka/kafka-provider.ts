/**
 * Kafka (KRaft, 3.9 and later) with an authorizer: a lease is a SCRAM user of its own with ACLs of its own (docs/providers/kafka). The
 * broker's process and the revoker's open the same adapter with a login each.
 */
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
import { SHORTEST_LEASE_MS } from '../any-target.js';
import { principalOf } from '../principal-name.js';
import { Pump } from '../pump.js';
import {
  checkCreate,
  checkPlan,
  checkRenewal,
  type CheckedCreate,
  type CheckedPlan,
} from './checked-plan.js';
import { clean } from './clean.js';
import { Cluster } from './cluster.js';
import { create } from './create.js';
import { Cutter } from './cut.js';
import { list } from './list.js';
import { lookAt } from './look.js';
import { renew } from './renew.js';
import type { KafkaSettings } from './settings.js';

const CREATES = { flushes: 2, batch: 50 };
const CLEANS = { flushes: 1, batch: 200 };

/** Nothing connects before it is used. */
export const openKafka = (settings: KafkaSettings, log: Log): CredentialProvider =>
  new KafkaProvider(settings, log);

class KafkaProvider implements CredentialProvider {
  readonly kind = 'kafka';
  /** Kafka overwrites what is there and keeps no mark of what was removed, so a create that comes after a cut is not refused. */
  readonly fencing = 'timed';
  readonly capabilities: Capabilities;
  readonly #cluster: Cluster;
  readonly #creates: Pump<CheckedCreate, CreateAnswer>;
  readonly #cleans: Pump<CheckedPlan, Observation | ProviderError>;
  readonly #cutter: Cutter;
  /** Leases that were sent from here, until no create of theirs may come any more: two at once would both find the name free. */
  readonly #sent = new Map<string, number>();

  constructor(
    private readonly settings: KafkaSettings,
    private readonly log: Log,
  ) {
    this.capabilities = {
      ...{ naming: 'by_lease', expiry: 'nothing', cut: 'refuses_next_use', list: true, renew: true },
      ttl: { minMs: SHORTEST_LEASE_MS, maxMs: settings.maxTtlMs },
    };
    this.#cluster = new Cluster(settings);
    this.#creates = new Pump(CREATES, (plans) => create(this.#cluster, plans, settings, log));
    this.#cleans = new Pump(CLEANS, (plans) => clean(this.#cluster, plans));
    this.#cutter = new Cutter(this.#cluster);
  }

  principal(leaseId: string): string {
    return principalOf(this.settings.namespace, leaseId);
  }

  async create(plan: Plan): Promise<CreateAnswer> {
    let checked: CheckedCreate;
    try {
      checked = checkCreate(plan, this.settings);
    } catch (error) {
      return this.#invalid(error, plan);
    }
    if (this.#sent.has(plan.leaseId)) return { answer: 'refused', code: 'ERR_PRINCIPAL_EXISTS' };
    this.#remember(checked);
    return this.#creates.push(checked);
  }

  #remember({ leaseId, createByMs }: CheckedCreate): void {
    this.#sent.set(leaseId, createByMs);
    // In the order in which they came in, so the first that is not over ends the search.
    for (const [each, untilMs] of this.#sent) {
      if (untilMs > Date.now()) break;
      this.#sent.delete(each);
    }
  }

  async renew(plan: Plan, notAfter: string): Promise<RenewAnswer> {
    try {
      return await renew(this.#cluster, checkRenewal(plan, notAfter, this.settings));
    } catch (error) {
      return this.#invalid(error, plan);
    }
  }

  #invalid(error: unknown, { leaseId }: Plan): { answer: 'refused'; code: string } {
    this.log.error({ err: error, leaseId }, 'plan is not what it must be');
    return { answer: 'refused', code: error instanceof ProviderError ? error.code : 'ERR_PLAN_INVALID' };
  }

  async cut(plan: Plan): Promise<CutReport> {
    return await this.#cutter.cut(checkPlan(plan, this.settings));
  }

  /** Never rejects for a target that cannot be looked at: that is `unknown`. */
  async observe(plan: Plan): Promise<Observation> {
    const checked = checkPlan(plan, this.settings);
    try {
      const [look] = await lookAt(this.#cluster, 'tidy', [checked]);
      if (look !== undefined) return look.observation;
    } catch (error) {
      this.log.warn({ err: error, leaseId: plan.leaseId }, 'target cannot be looked at');
    }
    return {
      ...{ state: 'unknown', sessions: null, atMs: Date.now(), incarnation: '' },
      nodes: { seen: 0, expected: 1 },
    };
  }

  async clean(plan: Plan): Promise<Observation> {
    const cleaned = await this.#cleans.push(checkPlan(plan, this.settings));
    if (cleaned instanceof ProviderError) throw cleaned;
    return cleaned;
  }

  list(): AsyncIterable<{ principal: string; leaseId: string }> {
    return list(this.#cluster, this.settings.namespace);
  }

  close(): Promise<void> {
    this.#cluster.close();
    return Promise.resolve();
  }
}
