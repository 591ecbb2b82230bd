/**
 * Create: strict, each of its two messages sent once (protocol rules 1 and 4). The ACLs go first, and the credential only once they
 * were answered and seen: nobody can log in before everything is there, and half of a create is of use to nobody. Leases that wait
 * together share the messages.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { alterUserScramCredentialsV0, createAclsV3 } from '@platformatic/kafka';
import type { Log } from '#telemetry/log.js';
import { randomSecret } from '../postgres/scram-verifier.js';
import { ProviderError, type CreateAnswer, type KafkaCredential } from '../provider.js';
import type { Secret } from '../secret.js';
import type { CheckedCreate } from './checked-plan.js';
import type { Cluster } from './cluster.js';
import { codeOfAnswer, NONE } from './errors.js';
import { isEverywhere, isWhole, lookAt, userOf, type Look } from './look.js';
import { PERMISSION } from './rights.js';
import { saltedPassword, type SaltedPassword } from './scram.js';
import type { KafkaSettings } from './settings.js';

/** How long a create waits for every broker to know what was made. They follow the controller within milliseconds. */
const KNOWN_WITHIN_MS = 1_000;
const LOOK_AGAIN_MS = 5;

interface Making {
  plan: CheckedCreate;
  secret: Secret;
  salted: SaltedPassword;
  /** Once it is there, nothing more is sent for this lease. */
  answer?: CreateAnswer;
}

/**
 * Never rejects. After `none` a message may have landed or may land yet: the caller MUST NOT send the plan again.
 * @returns one answer for each, in their order
 */
export async function create(
  cluster: Cluster,
  plans: readonly CheckedCreate[],
  settings: KafkaSettings,
  log: Log,
): Promise<CreateAnswer[]> {
  const making = await Promise.all(plans.map((plan) => prepared(plan, settings)));
  const undecided = () => making.filter(({ answer }) => answer === undefined);
  const steps = [allow, seeAllowed, enable];
  try {
    for (const step of steps) {
      refuseLate(undecided());
      if (undecided().length > 0) await step(cluster, undecided());
    }
  } catch (error) {
    log.warn({ err: error, leases: undecided().length }, 'create was not answered');
    for (const each of undecided()) each.answer = unanswered(error);
  }
  const made = undecided();
  const incarnation = await untilKnown(cluster, made);
  for (const each of made)
    each.answer = { answer: 'created', incarnation, credential: credentialOf(each, settings) };
  return making.map(({ plan, answer }) => {
    if (answer === undefined) throw new Error('a lease was left without an answer');
    if (answer.answer === 'refused')
      log.warn({ code: answer.code, leaseId: plan.leaseId }, 'create refused by target');
    return answer;
  });
}

async function prepared(plan: CheckedCreate, settings: KafkaSettings): Promise<Making> {
  const secret = randomSecret();
  return { plan, secret, salted: await saltedPassword(secret, settings.scram, settings.scramIterations) };
}

const refused = (code: CreateRefusal): CreateAnswer => ({ answer: 'refused', code });

/** Before each message: a lease whose time is over is not sent any more. */
function refuseLate(making: readonly Making[]): void {
  for (const each of making)
    if (each.plan.createByMs <= Date.now()) each.answer = refused('ERR_CREATE_TOO_LATE');
}

/** All of them are written to the controller's log together, or none. */
async function allow(cluster: Cluster, making: readonly Making[]): Promise<void> {
  const acls = making.flatMap((each) =>
    each.plan.bindings.map((binding) => ({ each, acl: aclOf(each.plan, binding) })),
  );
  const { results } = await cluster.any('create', (connection) =>
    createAclsV3.api.async(
      connection,
      acls.map(({ acl }) => acl),
    ),
  );
  acls.forEach(({ each }, i) => refuseBy(each, results[i]?.errorCode));
}

const aclOf = ({ principal }: CheckedCreate, binding: CheckedCreate['bindings'][number]) => ({
  ...binding,
  principal: userOf(principal),
  host: '*',
  permissionType: PERMISSION.ALLOW,
});

/**
 * Nobody logs in before every broker knows the ACLs, and those of this plan alone: Kafka would add ours to what somebody else has, and
 * put our secret in place of another.
 */
async function seeAllowed(cluster: Cluster, making: readonly Making[]): Promise<void> {
  const waiting = new Set(making);
  await untilSeen(cluster, making, (looks) => {
    for (const each of waiting) {
      const look = looks.get(each);
      if (look === undefined) continue;
      const ours = each.plan.bindings.length;
      if (look.held.some(({ acls, credentials }) => credentials > 0 || acls > ours))
        each.answer = refused('ERR_PRINCIPAL_EXISTS');
      if (each.answer !== undefined || isEverywhere(look, ({ acls }) => acls === ours)) waiting.delete(each);
    }
    return waiting.size === 0;
  });
  for (const each of waiting) each.answer = refused('ERR_TARGET_BUSY');
}

async function enable(cluster: Cluster, making: readonly Making[]): Promise<void> {
  const credentials = making.map(({ plan, salted }) => ({ name: plan.principal, ...salted }));
  const { results } = await cluster.any('create', (connection) =>
    alterUserScramCredentialsV0.api.async(connection, [], credentials),
  );
  const codes = new Map(results.map(({ user, errorCode }) => [user, errorCode]));
  for (const each of making) refuseBy(each, codes.get(each.plan.principal));
}

/** What the answer leaves out, or cannot tell, may have been done. */
function refuseBy(each: Making, errorCode: number | undefined): void {
  if (errorCode === NONE) return;
  const code = errorCode === undefined ? 'ERR_TARGET_UNREACHABLE' : codeOfAnswer(errorCode);
  each.answer = code === 'ERR_TARGET_UNREACHABLE' ? { answer: 'none', code } : { answer: 'refused', code };
}

/** Never rejects. Whatever the looks say, it is made: a broker that lags knows a moment later. @returns the incarnation */
async function untilKnown(cluster: Cluster, making: readonly Making[]): Promise<string> {
  let incarnation = '';
  await untilSeen(cluster, making, (looks) => {
    incarnation = [...looks.values()][0]?.observation.incarnation ?? incarnation;
    return [...looks.values()].every((look) => isEverywhere(look, isWhole));
  }).catch(() => undefined);
  return incarnation;
}

/** Looks until that is enough, or time is over. @throws ProviderError */
async function untilSeen(
  cluster: Cluster,
  making: readonly Making[],
  isEnough: (looks: ReadonlyMap<Making, Look>) => boolean,
): Promise<void> {
  if (making.length === 0) return;
  const plans = making.map(({ plan }) => plan);
  const endMs = performance.now() + KNOWN_WITHIN_MS;
  for (;;) {
    const looks = await lookAt(cluster, 'create', plans);
    const seen = new Map(looks.flatMap((look, i) => (making[i] === undefined ? [] : [[making[i], look]])));
    if (isEnough(seen) || performance.now() > endMs) return;
    await sleep(LOOK_AGAIN_MS);
  }
}

function credentialOf({ plan, secret }: Making, { connection, scram }: KafkaSettings): KafkaCredential {
  const { brokers, tls } = connection;
  return {
    kind: 'kafka',
    connection: { brokers, tls, mechanism: scram, username: plan.principal, password: secret },
  };
}

/** What a login that is refused says before anything was sent is an answer; silence is none. */
function unanswered(error: unknown): CreateAnswer {
  const code = error instanceof ProviderError ? error.code : 'ERR_TARGET_UNREACHABLE';
  return code === 'ERR_TARGET_UNREACHABLE' ? { answer: 'none', code } : { answer: 'refused', code };
}

export type CreateRefusal =
  'ERR_CREATE_TOO_LATE' | 'ERR_PRINCIPAL_EXISTS' | 'ERR_TARGET_BUSY' | ProviderError['code'];
