/**
 * Cut: the ACLs first, which ends what open sessions may do, then the credential, which ends new logins, then looks at every broker
 * until twice in a row nothing is there (protocol rule 7, class `timed`). Safe to repeat and to run twice at once.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { alterUserScramCredentialsV0, deleteAclsV3 } from '@platformatic/kafka';
import { faultPoint } from '#telemetry/fault-point.js';
import type { CutReport } from '../provider.js';
import { Pump } from '../pump.js';
import type { CheckedPlan } from './checked-plan.js';
import type { Cluster, Use } from './cluster.js';
import { demand, RESOURCE_NOT_FOUND } from './errors.js';
import { everyAclOf, lookAt, type Look } from './look.js';
import { SCRAM_CODES } from './scram.js';

/** When to look, in milliseconds after the first removal. Brokers follow the controller within milliseconds. */
const LOOKS_AT_MS = [0, 2, 10, 25, 50, 100, 200, 400, 700, 1_000, 1_400, 1_900];
const EMPTY_LOOKS = 2;
const REMOVALS = { flushes: 2, batch: 100 };
const LOOKS = { flushes: 2, batch: 200 };

export class Cutter {
  readonly #removals: Pump<CheckedPlan, undefined>;
  readonly #looks: Pump<CheckedPlan, Look>;

  constructor(cluster: Cluster) {
    this.#removals = new Pump(REMOVALS, async (plans) => {
      await remove(cluster, 'cut', plans);
      return plans.map(() => undefined);
    });
    this.#looks = new Pump(LOOKS, (plans) => lookAt(cluster, 'cut', plans));
  }

  /** @throws ProviderError when the target did not take it, or could not be looked at: nothing is proven, call again */
  async cut(plan: CheckedPlan): Promise<CutReport> {
    await this.#removals.push(plan);
    faultPoint('cut.fenced');
    const removedAtMs = performance.now();
    let emptyObservations = 0;
    for (let i = 0; ; i++) {
      await sleep(Math.max(0, (LOOKS_AT_MS[i] ?? 0) - (performance.now() - removedAtMs)));
      const { observation } = await this.#looks.push(plan);
      emptyObservations = observation.state === 'absent' ? emptyObservations + 1 : 0;
      if (emptyObservations >= EMPTY_LOOKS || i >= LOOKS_AT_MS.length - 1)
        return { observation, emptyObservations, sessionsEnded: 0 };
      // It may be that a broker lags, or that a create has landed in between: removing twice costs little.
      if (observation.state === 'live' || observation.state === 'disabled') await this.#removals.push(plan);
    }
  }
}

/**
 * Several at once. What is not there is removed already. All of it is tried, and in this order: a broker handles one request of a
 * connection after the other.
 * @throws ProviderError: some of it may have been done
 */
export async function remove(
  cluster: Pick<Cluster, 'any'>,
  use: Use,
  plans: readonly CheckedPlan[],
): Promise<void> {
  const names = [...new Set(plans.map(({ principal }) => principal))];
  const removals = [removeAcls(cluster, use, names)];
  // The setting may have been another when the principal was made, and of one user a request alters one credential.
  for (const mechanism of Object.values(SCRAM_CODES))
    removals.push(removeCredentials(cluster, use, names, mechanism));
  const failed = (await Promise.allSettled(removals)).find(({ status }) => status === 'rejected');
  if (failed?.status === 'rejected') throw failed.reason;
}

async function removeAcls(cluster: Pick<Cluster, 'any'>, use: Use, names: readonly string[]): Promise<void> {
  const filters = names.map((name) => everyAclOf(name));
  const { filterResults } = await cluster.any(use, (connection) =>
    deleteAclsV3.api.async(connection, filters),
  );
  for (const { errorCode, matchingAcls } of filterResults) {
    demand(errorCode);
    for (const matching of matchingAcls) demand(matching.errorCode);
  }
}

async function removeCredentials(
  cluster: Pick<Cluster, 'any'>,
  use: Use,
  names: readonly string[],
  mechanism: 1 | 2,
): Promise<void> {
  const deletions = names.map((name) => ({ name, mechanism }));
  const { results } = await cluster.any(use, (connection) =>
    alterUserScramCredentialsV0.api.async(connection, deletions, []),
  );
  for (const { errorCode } of results) demand(errorCode, RESOURCE_NOT_FOUND);
}
