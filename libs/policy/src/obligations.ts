/** What a decision obliges to, over the determining policies of both its parts. */
import { APPROVALS, type Approval, type Rule } from './rule.js';

export interface Obligations {
  /** The longest lease; null: policy sets no limit. */
  ttlMs: number | null;
  /** On `approval_required`: the approval that would permit. */
  approval: Approval | null;
  /** All of them hold at once (AND), in the order of their policies' ids. Whoever cannot enforce one MUST NOT issue. */
  rowFilters: string[];
}

export const NO_OBLIGATIONS: Obligations = { ttlMs: null, approval: null, rowFilters: [] };

/** Requires `permits` sorted by id. */
export function obligationsOf(permits: readonly Rule[]): Obligations {
  const ttls = permits.flatMap(({ ttlMs }) => (ttlMs === null ? [] : [ttlMs]));
  return {
    ttlMs: ttls.length === 0 ? null : Math.min(...ttls),
    approval: null,
    rowFilters: permits.flatMap(({ rowFilter }) => (rowFilter === null ? [] : [rowFilter])),
  };
}

/** The strongest of several approvals, or null for none. */
export function strongest(approvals: readonly Approval[]): Approval | null {
  return APPROVALS.findLast((approval) => approvals.includes(approval)) ?? null;
}
