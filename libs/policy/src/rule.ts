/**
 * A policy as we use it: what Cedar decides with, and what its annotations oblige us to. The annotations are ours, Cedar does
 * not check them, so a mistyped one would silently lift a limit: unknown keys and bad values are refused.
 */
import type { Effect, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

/** Weakest first. */
export const APPROVALS = ['one-person', 'two-person'] as const;
export type Approval = (typeof APPROVALS)[number];

export interface Rule {
  /** `@id`, unique in the set: what decisions record. */
  id: string;
  effect: Effect;
  /** `@reason`: words for whoever is refused, and for the log. */
  reason: string;
  /** `@ttl`, on a permit: the longest lease, milliseconds. */
  ttlMs: number | null;
  /** `@rowfilter`, on a permit. */
  rowFilter: string | null;
  /** `@remedy("approval")` with `@approval`, on a forbid: the approval that would lift it. */
  approval: Approval | null;
}

const KNOWN = ['id', 'reason', 'ttl', 'rowfilter', 'remedy', 'approval'];
const MAX_TTL_S = 86_400;

/** The rule, or everything that is wrong with its annotations. */
export function readRule(policy: PolicyJson): { rule: Rule } | { problems: string[] } {
  const given: Partial<Record<string, string>> = policy.annotations ?? {};
  const { id, reason, ttl, rowfilter, remedy, approval } = given;
  const problems: string[] = [];
  const demand = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };

  for (const key of Object.keys(given)) demand(KNOWN.includes(key), `unknown annotation \`@${key}\``);
  demand(
    id !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(id),
    'needs an `@id` of letters, digits, dots and dashes',
  );
  demand(reason !== undefined && reason.trim() !== '', 'needs a `@reason`');
  demand(
    ttl === undefined || (/^[1-9]\d{0,5}$/.test(ttl) && Number(ttl) <= MAX_TTL_S),
    '`@ttl` must be a whole number of seconds, 1 to 86400',
  );
  demand(rowfilter !== '', '`@rowfilter` must not be empty');
  if (policy.effect === 'forbid') {
    demand(ttl === undefined && rowfilter === undefined, '`@ttl` and `@rowfilter` belong on a permit');
    demand(remedy === undefined || remedy === 'approval', '`@remedy` must be `approval`');
    demand(approval === undefined || remedy !== undefined, '`@approval` needs `@remedy("approval")`');
    demand(
      approval === undefined || isApproval(approval),
      '`@approval` must be `one-person` or `two-person`',
    );
  } else {
    demand(remedy === undefined && approval === undefined, '`@remedy` and `@approval` belong on a forbid');
  }
  if (problems.length > 0 || id === undefined || reason === undefined) return { problems };

  return {
    rule: {
      id,
      effect: policy.effect,
      reason,
      ttlMs: ttl === undefined ? null : Number(ttl) * 1000,
      rowFilter: rowfilter ?? null,
      approval: remedy === undefined ? null : isApproval(approval) ? approval : APPROVALS[0],
    },
  };
}

const isApproval = (text: string | undefined): text is Approval => APPROVALS.some((known) => known === text);
