/**
 * Create: strict, one message, sent once (protocol rules 1 and 4). Leases that wait together and carry the same rights go in
 * one message: a commit and a look at the server's life are paid once for all of them.
 */
import pg from 'pg';
import type { Log } from '#telemetry/log.js';
import type { CreateAnswer } from '../provider.js';
import type { Secret } from '../secret.js';
import type { PostgresSettings } from './settings.js';
import type { CheckedCreate } from './checked-plan.js';
import { createMessage, TOO_LATE, type RoleToCreate } from './create-message.js';
import { issuerOf } from './issuer.js';
import { isServerRefusal, send } from './pools.js';
import { randomSecret, scramVerifier } from './scram-verifier.js';
import { incarnationIn } from './sql.js';

const TRANSACTION_TIMEOUT_MS = 3_000;

interface Making extends RoleToCreate {
  secret: Secret;
}

/**
 * Never rejects. After `none` the message may have landed or may land yet: the caller MUST NOT send the plan again.
 * @param plans leases with the same rights. @returns one answer for each, in their order
 */
export async function create(
  pool: pg.Pool,
  plans: readonly CheckedCreate[],
  settings: PostgresSettings,
  log: Log,
): Promise<CreateAnswer[]> {
  let client: pg.PoolClient;
  try {
    client = await pool.connect();
  } catch (error) {
    return plans.map(() => notConnected(error, log));
  }
  // A lease whose time is over is not sent, and does not take the others' time from them.
  const answers = new Map<CheckedCreate, CreateAnswer>(
    plans.map((plan) => [plan, { answer: 'refused', code: 'ERR_CREATE_TOO_LATE' }]),
  );
  const making = plans
    .filter(({ createByMs }) => createByMs > Date.now())
    .map((plan) => prepared(plan, settings));
  const [first, ...others] = making;
  if (first === undefined) {
    client.release();
  } else {
    const made = await sendAll(client, [first, ...others], settings, log);
    making.forEach(({ plan }, i) => answers.set(plan, made[i]!));
  }
  return plans.map((plan) => answers.get(plan)!);
}

function prepared(plan: CheckedCreate, settings: PostgresSettings): Making {
  const secret = randomSecret();
  return { plan, secret, verifier: scramVerifier(secret, settings.scramIterations) };
}

async function sendAll(
  client: pg.PoolClient,
  making: readonly [Making, ...Making[]],
  settings: PostgresSettings,
  log: Log,
): Promise<CreateAnswer[]> {
  // One for all of a message: they were intended at about the same time.
  const issuer = issuerOf(making[0].plan.leaseId, settings.issuerShards);
  const leftMs = Math.min(...making.map(({ plan }) => plan.createByMs - Date.now()), TRANSACTION_TIMEOUT_MS);
  try {
    const results = await send(client, createMessage(making, issuer, Math.max(leftMs, 1)));
    const refused = refusedIn(results);
    const incarnation = incarnationIn(results);
    return making.map(({ plan, secret }) => {
      const refusal = refused.get(plan.leaseId);
      if (refusal !== undefined) return refusedBy(refusal, plan, log);
      const connection = { ...settings.connection, user: plan.principal, password: secret };
      return { answer: 'created', incarnation, credential: { kind: 'postgres', connection } };
    });
  } catch (error) {
    return making.map(({ plan }) => notCreated(error, plan, log));
  }
}

interface TargetRefusal {
  code: string;
  constraint?: string | undefined;
}

/** Lines `lease SQLSTATE constraint`, by lease. @throws Error when the message had no such answer */
function refusedIn(results: readonly pg.QueryResult[]): Map<string, TargetRefusal> {
  const row = results
    .flatMap(({ rows }) => rows as { refused?: unknown }[])
    .find((each) => 'refused' in each);
  if (typeof row?.refused !== 'string') throw new Error('message did not say what was refused');
  return new Map(
    row.refused
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const [leaseId = '', code = '', constraint] = line.split(' ');
        return [leaseId, { code, constraint }];
      }),
  );
}

/** Nothing was sent. A server that refuses the login says so; of a server that does not answer nothing is known. */
function notConnected(error: unknown, log: Log): CreateAnswer {
  log.warn({ err: error }, 'no connection to create on');
  return isServerRefusal(error)
    ? { answer: 'refused', code: 'ERR_TARGET_MISCONFIGURED' }
    : { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
}

function notCreated(error: unknown, plan: CheckedCreate, log: Log): CreateAnswer {
  if (isServerRefusal(error))
    return refusedBy({ code: error.code ?? '', constraint: error.constraint }, plan, log);
  log.warn({ err: error, leaseId: plan.leaseId }, 'create was not answered');
  return { answer: 'none', code: 'ERR_TARGET_UNREACHABLE' };
}

function refusedBy(refusal: TargetRefusal, { leaseId }: CheckedCreate, log: Log): CreateAnswer {
  const code = refusalOf(refusal);
  log.warn({ sqlState: refusal.code, code, leaseId }, 'create refused by target');
  return { answer: 'refused', code };
}

export type CreateRefusal =
  | 'ERR_CREATE_TOO_LATE'
  | 'ERR_LEASE_FENCED'
  | 'ERR_PRINCIPAL_EXISTS'
  | 'ERR_TARGET_BUSY'
  | 'ERR_TARGET_MISCONFIGURED'
  | 'ERR_TARGET_REFUSED';

/** PostgreSQL appendix A: 42710 duplicate_object, 55P03 lock_not_available, 40P01 deadlock_detected, 42501, 42704, 42P01, 3F000: a right, a role or a table is missing. */
function refusalOf({ code, constraint }: TargetRefusal): CreateRefusal {
  if (code === TOO_LATE) return 'ERR_CREATE_TOO_LATE';
  if (code === '23505' && constraint === 'fence_pkey') return 'ERR_LEASE_FENCED';
  if (code === '23505' || code === '42710') return 'ERR_PRINCIPAL_EXISTS';
  if (code === '55P03' || code === '40P01') return 'ERR_TARGET_BUSY';
  if (code === '42501' || code === '42704' || code === '42P01' || code === '3F000')
    return 'ERR_TARGET_MISCONFIGURED';
  return 'ERR_TARGET_REFUSED';
}
