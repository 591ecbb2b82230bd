/**
 * Looking at principals: what every broker holds of their ACLs and credentials. An open session keeps what its ACLs give, and a login
 * needs a credential, so access is gone once both are, everywhere.
 */
import { describeAclsV3, describeUserScramCredentialsV0 } from '@platformatic/kafka';
import type { Observation } from '../provider.js';
import type { CheckedPlan } from './checked-plan.js';
import type { Cluster, Use } from './cluster.js';
import { demand, NONE, RESOURCE_NOT_FOUND } from './errors.js';
import type { Line } from './line.js';
import { OPERATION, PATTERN, PERMISSION, RESOURCE } from './rights.js';

export interface Look {
  observation: Observation;
  /** What each broker that answered holds. */
  held: readonly Held[];
}

/** Every broker that there is says so. */
export const isEverywhere = (
  { observation: { nodes }, held }: Look,
  says: (held: Held) => boolean,
): boolean => nodes.seen === nodes.expected && held.every(says);

/** Who has both can be used. */
export const isWhole = ({ acls, credentials }: Held): boolean => acls > 0 && credentials > 0;

/** More principals than this are found among all ACLs there are: one long answer instead of many questions. */
const ASKED_BY_NAME = 4;

/** In the plans' order. @throws ProviderError */
export async function lookAt(
  cluster: Pick<Cluster, 'everywhere'>,
  use: Use,
  plans: readonly CheckedPlan[],
): Promise<Look[]> {
  const principals = [...new Set(plans.map(({ principal }) => principal))];
  const view = await cluster.everywhere(use, (line) => heldBy(line, principals));
  const atMs = Date.now();
  const nodes = { seen: view.answers.length, expected: view.expected };
  return plans.map(({ principal }) => {
    const held = view.answers.map((answer) => answer.get(principal) ?? NOTHING);
    const state = stateOf(held);
    const isKnown = nodes.seen === nodes.expected || state === 'live';
    return {
      held,
      observation: {
        state: isKnown ? state : 'unknown',
        // Kafka keeps no list of sessions: each act of one is judged anew.
        sessions: isKnown ? 0 : null,
        ...{ atMs, incarnation: view.incarnation, nodes },
      },
    };
  });
}

export interface Held {
  /** That allow something. */
  acls: number;
  credentials: number;
}
const NOTHING: Held = { acls: 0, credentials: 0 };

/** `disabled`: a login that may do nothing; nobody was lent that, and a cut takes it away too. */
function stateOf(held: readonly Held[]): 'absent' | 'disabled' | 'live' {
  if (held.some(({ acls }) => acls > 0)) return 'live';
  return held.some(({ credentials }) => credentials > 0) ? 'disabled' : 'absent';
}

/** What one broker holds, by principal. @throws ProviderError */
async function heldBy(line: Line, principals: readonly string[]): Promise<Map<string, Held>> {
  const acls = await aclsOf(line, principals);
  const credentials = await credentialsOf(line, principals);
  return new Map(
    principals.map((principal) => [
      principal,
      { acls: acls.get(principal) ?? 0, credentials: credentials.get(principal) ?? 0 },
    ]),
  );
}

async function aclsOf(line: Line, principals: readonly string[]): Promise<Map<string, number>> {
  if (principals.length > ASKED_BY_NAME) return allowedBy(line, null);
  const each = await Promise.all(principals.map((principal) => allowedBy(line, principal)));
  return new Map(each.flatMap((found) => [...found]));
}

const USER = 'User:';
export const userOf = (principal: string) => `${USER}${principal}`;

/** How many ACLs allow each principal something. @param principal null: of all. @throws ProviderError */
export async function allowedBy(line: Line, principal: string | null): Promise<Map<string, number>> {
  const answer = await line.ask((connection) =>
    describeAclsV3.api.async(connection, everyAclOf(principal, PERMISSION.ALLOW)),
  );
  demand(answer.errorCode);
  const counts = new Map<string, number>();
  for (const { acls } of answer.resources)
    for (const acl of acls) {
      const name = acl.principal.slice(USER.length);
      if (acl.principal.startsWith(USER)) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  return counts;
}

export const everyAclOf = (
  principal: string | null,
  permissionType: (typeof PERMISSION)['ANY' | 'ALLOW'] = PERMISSION.ANY,
) => ({
  resourceType: RESOURCE.ANY,
  resourceName: null,
  resourcePatternType: PATTERN.ANY,
  principal: principal === null ? null : userOf(principal),
  host: null,
  operation: OPERATION.ANY,
  permissionType,
});

/** None is asked for by name: all are told. */
const EVERYBODY: readonly string[] = [];

/** How many credentials each principal has. @param principals null: all there are. @throws ProviderError */
export async function credentialsOf(
  line: Line,
  principals: readonly string[] | null,
): Promise<Map<string, number>> {
  const users = (principals ?? EVERYBODY).map((name) => ({ name }));
  const answer = await line.ask((connection) => describeUserScramCredentialsV0.api.async(connection, users));
  demand(answer.errorCode);
  const counts = new Map<string, number>();
  for (const { user, errorCode, credentialInfos } of answer.results) {
    demand(errorCode, RESOURCE_NOT_FOUND);
    if (errorCode === NONE) counts.set(user, credentialInfos.length);
  }
  return counts;
}
