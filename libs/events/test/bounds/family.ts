/** Four tasks of one family, what there is to be had in them, and a policy that changes: the fixed part of the property of bounds. */
import type { Catalogue, DatasetEntry, OperatorEntry } from '../../src/catalogue.js';
import type { CallQuestion, CallVerdict, Judge } from '../../src/verdict.js';
import { ANALYST, catalogue as sample, judge, PLANNER } from '../fixture.js';

const id = (n: number) => `01930000-0000-7000-8000-00000000000${n}`;
export const ROOT = id(1);
export const TASKS = [ROOT, id(2), id(3), id(4)] as const;
/** Parent of each task: the root has a child and a grandchild, and another child. */
export const PARENTS = [undefined, ROOT, id(2), ROOT] as const;
export const AGENTS = [ANALYST, PLANNER] as const;

/** One agent may do one thing with one tool on one dataset. */
export interface Right {
  tool: string;
  dataset: string;
  action: string;
}
export const RIGHTS: readonly Right[] = [
  { tool: 'sql.query', dataset: 'crm.orders', action: 'read' },
  { tool: 'sql.query', dataset: 'crm.orders', action: 'write' },
  { tool: 'sql.query', dataset: 'hr.salaries', action: 'read' },
];
export const ALL_RIGHTS = (1 << RIGHTS.length) - 1;

/** As declarations name them. @param mask one bit for each right */
export const triplesOf = (mask: number) =>
  RIGHTS.filter((_, n) => (mask & (1 << n)) !== 0).map(({ action, ...right }) => ({
    ...right,
    actions: [action],
  }));

/** Maria is whom the tasks run for: her word on an approval must count for nothing. */
export const INVOLVED = 'user:maria@corp.example';
export const PEOPLE = ['user:ann@corp.example', INVOLVED, 'user:nobody@corp.example'] as const;

/** Of the target. */
export const MAX_TTL_MS = 600_000;
const approver = (id: string): OperatorEntry => ({ id, roles: ['approver'] });
const read = sample.datasets.get('crm.orders')!;
const written: DatasetEntry = {
  ...read,
  actions: new Map([
    ...read.actions,
    ['write', { rights: ['pol_orders_write'], cedar: 'writeDataset' as const }],
  ]),
};
export const catalogue: Catalogue = {
  ...sample,
  operators: new Map([
    ...sample.operators,
    ...PEOPLE.slice(0, 2).map((person): [string, OperatorEntry] => [person, approver(person)]),
  ]),
  datasets: new Map([...sample.datasets, ['crm.orders', written]]),
};

type Decision = CallVerdict['decision'];
const DECISIONS: readonly Decision[] = ['permit', 'deny', 'approval_required'];

/** What is permitted for a while: of each right its own, and for how long. */
export interface Policy {
  digest: string;
  says: readonly Decision[];
  ttlMs: number;
  /** Whether tasks may be declared, and amended. */
  declares: boolean;
}

/** @param serial no two policies of a history have the same digest */
export const policyOf = (serial: number, choice = 0): Policy => ({
  digest: `policy ${serial}`,
  says: RIGHTS.map((_, n) => DECISIONS[Math.floor(choice / 3 ** n) % 3]!),
  ttlMs: [300_000, 60_000, 900_000][choice % 3]!,
  declares: choice % 7 !== 6,
});

export const rightOf = (wanted: { tool: string; dataset?: string | undefined; action: string }): number =>
  RIGHTS.findIndex(
    ({ tool, dataset, action }) =>
      tool === wanted.tool && dataset === wanted.dataset && action === wanted.action,
  );

/** Policy is a port: this one looks into a table. */
export function judgeOf({ digest, says, ttlMs, declares }: Policy): Judge {
  const decide = (question: CallQuestion): CallVerdict => {
    const said = says[rightOf(question)] ?? 'deny';
    const isApproved = said === 'approval_required' && question.now.approval === 'approved';
    const approval = said === 'approval_required' ? 'one-person' : null;
    const obligations = { ttlMs, approval, rowFilters: [] };
    return judge({ call: { decision: isApproved ? 'permit' : said, obligations } }).decideCall(question);
  };
  return {
    digest,
    decideTask: (question) =>
      judge({ task: { decision: declares ? 'permit' : 'deny' } }).decideTask(question),
    decideCall: decide,
    decideRenewal: decide,
  };
}
