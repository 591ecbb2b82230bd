/**
 * Who the bearer of an OIDC token is here: explicit rules, the first that matches. Only what its issuer never gives to another counts:
 * ids, not names, because a name that was given up can be taken by somebody else.
 */
import { isObject } from './bytes.js';
import { IdentityError } from './errors.js';
import { trustDomainOf } from './spiffe-id.js';

export interface KubernetesSubject {
  namespace: string;
  /** Of the service account. A name is used again, a uid never. */
  serviceAccountUid: string;
}
export interface GithubSubject {
  repositoryId: string;
  repositoryOwnerId: string;
  /** The whole of it, with its ref: `octo/automation/.github/workflows/deploy.yml@refs/heads/main`. */
  jobWorkflowRef: string;
  environment?: string;
  ref?: string;
}
/** Claims by name that must be there and be exactly this. */
export type ClaimsSubject = Record<string, string | number | boolean>;

export interface SubjectRule {
  /** SPIFFE id, as the catalogue knows it. */
  id: string;
  /** Exactly one of the three. */
  kubernetes?: KubernetesSubject;
  github?: GithubSubject;
  claims?: ClaimsSubject;
}

type Claims = Record<string, unknown>;
/** `id` of the first rule that matches these claims. */
export type MapSubject = (claims: Claims) => string | undefined;

/** @throws IdentityError ERR_IDENTITY_ISSUER_INVALID: no SPIFFE id, not exactly one kind, or a rule that anybody would match. */
export function mapSubjects(rules: readonly SubjectRule[]): MapSubject {
  const mapped = rules.map((rule) => ({ id: rule.id, matches: matcherOf(rule) }));
  return (claims) => mapped.find(({ matches }) => matches(claims))?.id;
}

function matcherOf({ id, kubernetes, github, claims }: SubjectRule): (claims: Claims) => boolean {
  const invalid = (message: string) => new IdentityError('ERR_IDENTITY_ISSUER_INVALID', message, { id });
  if (trustDomainOf(id) === undefined) throw invalid('a subject is mapped to what is no SPIFFE id');
  const [only, ...others] = [
    kubernetes && kubernetesMatcher(kubernetes),
    github && claimsMatcher(githubClaims(github)),
    claims && claimsMatcher(claims),
  ].filter((matcher) => matcher !== undefined);
  if (only === undefined || others.length > 0)
    throw invalid('a subject needs one of kubernetes, github and claims');
  if (claims !== undefined && Object.keys(claims).length === 0)
    throw invalid('a subject without claims would be anybody');
  return only;
}

/** Bound service account tokens: also of a pod, because a token of no pod lives on after all of them. */
const kubernetesMatcher =
  ({ namespace, serviceAccountUid }: KubernetesSubject) =>
  ({ 'kubernetes.io': bound }: Claims) =>
    isObject(bound) &&
    bound.namespace === namespace &&
    isObject(bound.serviceaccount) &&
    bound.serviceaccount.uid === serviceAccountUid &&
    isObject(bound.pod) &&
    typeof bound.pod.uid === 'string' &&
    bound.pod.uid !== '';

const githubClaims = (subject: GithubSubject): ClaimsSubject => ({
  repository_id: subject.repositoryId,
  repository_owner_id: subject.repositoryOwnerId,
  job_workflow_ref: subject.jobWorkflowRef,
  ...(subject.environment !== undefined && { environment: subject.environment }),
  ...(subject.ref !== undefined && { ref: subject.ref }),
});

const claimsMatcher = (wanted: ClaimsSubject) => (claims: Claims) =>
  Object.entries(wanted).every(([name, value]) => Object.hasOwn(claims, name) && claims[name] === value);
