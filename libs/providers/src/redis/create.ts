/** Create: strict, one command to each node, sent once (protocol rules 1 and 4). */
import { randomBytes } from 'node:crypto';
import type { Log } from '#telemetry/log.js';
import type { CreateAnswer } from '../provider.js';
import { Secret } from '../secret.js';
import { createCommand, isLatched } from './acl.js';
import { bornAtMs, type CheckedCreate } from './checked-plan.js';
import type { Open } from './connection.js';
import { isBusy, isMisconfigured, isRefusal } from './errors.js';
import { isOldEnough } from './life.js';
import type { Node } from './nodes.js';
import type { RedisSettings } from './settings.js';

export type CreateRefusal =
  | 'ERR_CREATE_TOO_LATE'
  | 'ERR_LEASE_FENCED'
  | 'ERR_TARGET_BUSY'
  | 'ERR_TARGET_MISCONFIGURED'
  | 'ERR_TARGET_RESTARTED';

/**
 * Never rejects. After `none` a command may have landed or may land yet: the caller MUST NOT send the plan again. The first node decides:
 * what it refuses, no other is asked for; what only it has made, nobody is lent.
 */
export async function create(
  nodes: readonly Node[],
  plan: CheckedCreate,
  settings: RedisSettings,
  log: Log,
): Promise<CreateAnswer> {
  let open: Open[];
  try {
    // What could not be cut on every node is not lent.
    open = await Promise.all(nodes.map(({ create: connection }) => connection.open()));
  } catch (error) {
    return notConnected(error, log);
  }
  const refusal = refusalBefore(open, plan, log);
  if (refusal !== null) return { answer: 'refused', code: refusal };
  const secret = new Secret(randomBytes(32).toString('base64url'));
  const makeAt = (node: Open) => node.send([createCommand(plan, secret, node.life.hasSetInfo)]);
  const [first, ...others] = open as [Open, ...Open[]];
  try {
    await makeAt(first);
  } catch (error) {
    return notCreated(error, plan, log);
  }
  if (others.length > 0 && isLate(plan)) return { answer: 'none', code: 'ERR_CREATE_TOO_LATE' };
  const answers = await Promise.allSettled(others.map(makeAt));
  const failed = answers.find((answer) => answer.status === 'rejected');
  if (failed !== undefined) {
    log.warn({ err: failed.reason as unknown, leaseId: plan.leaseId }, 'create did not reach every node');
    return { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
  }
  const { nodes: places, tls } = settings;
  const [{ host, port }] = places as [{ host: string; port: number }];
  return {
    answer: 'created',
    incarnation: open.map(({ life }) => life.runId).join('+'),
    credential: {
      kind: 'redis',
      connection: { host, port, nodes: places, username: plan.principal, password: secret, tls },
    },
  };
}

const isLate = ({ createByMs }: CheckedCreate): boolean => createByMs <= Date.now();

function refusalBefore(open: readonly Open[], plan: CheckedCreate, log: Log): CreateRefusal | null {
  const { leaseId } = plan;
  const unfit = open.find((node) => node.unfit !== null)?.unfit;
  const reason = unfit ?? (isOneServerTwice(open) ? 'two nodes are one server' : undefined);
  if (reason !== undefined) {
    log.error({ reason, leaseId }, 'a node is not fit to lend from');
    return 'ERR_TARGET_MISCONFIGURED';
  }
  // A fence that was set in the life before is forgotten. Nothing is made that may have been cut there.
  if (!open.every(({ life }) => isOldEnough(life, bornAtMs(leaseId)))) return 'ERR_TARGET_RESTARTED';
  return isLate(plan) ? 'ERR_CREATE_TOO_LATE' : null;
}

const isOneServerTwice = (open: readonly Open[]): boolean =>
  new Set(open.map(({ life }) => life.runId)).size < open.length;

/** Nothing was sent. A server that refuses the account says so; of a server that does not answer nothing is known. */
function notConnected(error: unknown, log: Log): CreateAnswer {
  log.warn({ err: error }, 'no connection to create on');
  return isRefusal(error) && isMisconfigured(error)
    ? { answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' }
    : { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
}

function notCreated(error: unknown, { leaseId }: CheckedCreate, log: Log): CreateAnswer {
  if (!isRefusal(error)) {
    log.warn({ err: error, leaseId }, 'create was not answered');
    return { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
  }
  const code: CreateRefusal = isLatched(error.message)
    ? 'ERR_LEASE_FENCED'
    : isBusy(error)
      ? 'ERR_TARGET_BUSY'
      : 'ERR_TARGET_MISCONFIGURED';
  log.warn({ err: error, code, leaseId }, 'create refused by target');
  return { answer: 'refused', code };
}
