/**
 * Renew: a user at Redis has no end of its own, so nothing is moved there. What is asked is whether it is there, enabled and not cut, on
 * every node; then the lease goes on, and the revoker cuts it later (protocol rule 8). Nothing is written, so nothing can come back.
 */
import type { Log } from '#telemetry/log.js';
import type { RenewAnswer } from '../provider.js';
import { lookCommand, stateIn, type Reply } from './acl.js';
import type { CheckedRenewal } from './checked-plan.js';
import { isBusy, isMisconfigured, isRefusal } from './errors.js';
import type { Node } from './nodes.js';

export type RenewRefusal =
  'ERR_LEASE_FENCED' | 'ERR_RENEWAL_TOO_LATE' | 'ERR_TARGET_BUSY' | 'ERR_TARGET_MISCONFIGURED';

/** Never rejects. */
export async function renew(nodes: readonly Node[], plan: CheckedRenewal, log: Log): Promise<RenewAnswer> {
  let looks: Reply[][];
  try {
    looks = await Promise.all(
      nodes.map(({ create }) => create.atomically([lookCommand(plan.principal), ['TIME']])),
    );
    if (looks.some(([user]) => stateIn(user) !== 'live')) return refused('ERR_LEASE_FENCED');
  } catch (error) {
    log.warn({ err: error, leaseId: plan.leaseId }, 'renewal was not answered');
    if (isRefusal(error) && isMisconfigured(error)) return refused('ERR_TARGET_MISCONFIGURED');
    if (isRefusal(error) && isBusy(error)) return refused('ERR_TARGET_BUSY');
    return { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
  }
  const isOver = looks.some(([, time]) => msIn(time) >= plan.renewByMs);
  return isOver ? refused('ERR_RENEWAL_TOO_LATE') : { answer: 'renewed' };
}

const refused = (code: RenewRefusal): RenewAnswer => ({ answer: 'refused', code });

/** Of an answer to `TIME`: seconds, and microseconds of the next one. Where it is none, the lease is over. */
function msIn(reply: Reply | undefined): number {
  const [seconds, micros] = Array.isArray(reply) ? reply.map(Number) : [];
  const ms = (seconds ?? Number.NaN) * 1_000 + Math.floor((micros ?? 0) / 1_000);
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms;
}
