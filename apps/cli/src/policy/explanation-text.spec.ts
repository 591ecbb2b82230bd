import type { Catalogue } from '#events/catalogue.js';
import type { EventOf } from '#events/outbound.js';
import { explainCall } from '#policy/explain/explain-call.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { loadPolicies } from '#policy/load-policies.js';
import type { ParsedPolicies } from '#policy/parse-policies.js';
import { PolicySet } from '#policy/policy-set.js';
import type { RecordedCall } from '#policy/replay/rejudge.js';
import { ordinaryCall } from '../../../../test/support/recorded-calls.mjs';
import { explanationText } from './explanation-text.js';

const SAMPLE = 'deploy/sample/policy';
let catalogue: Catalogue;
let then: PolicySet;
let policies: ParsedPolicies;
beforeAll(async () => {
  catalogue = (await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' })).catalogue;
  then = await PolicySet.load(SAMPLE);
  policies = await loadPolicies(SAMPLE);
});

type Decided = EventOf<'call.decided'>['data'];
/** Of the sequence of recorded calls: 0 is permitted, 1 permitted by nobody, 3 needs an approval, 6 is forbidden. */
const recorded = (n: number, change: Partial<Decided> = {}): RecordedCall => {
  const { decided, inputs } = ordinaryCall(then, catalogue, n);
  return { decided: { ...decided, ...change }, inputs };
};
const told = (call: RecordedCall, today: ParsedPolicies | null = policies) =>
  explanationText(explainCall(call, today), { earlier: [], followed: [] });
/** The lines below a title. */
function below(title: string, text: string): string[] {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line === title || line.startsWith(`${title} `));
  if (from < 0) throw new Error(`no ${title} in\n${text}`);
  const rest = lines.slice(from + 1);
  const end = rest.indexOf('');
  return (end < 0 ? rest : rest.slice(0, end)).map((line) => line.trim());
}

it('tells a permitted call, with who set its time to live', () => {
  const text = told(recorded(0, { obligations: { ttlMs: 300_000, approval: null } }));

  expect(text.split('\n').slice(1, 3)).toEqual([
    'spiffe://dev.mayfly/agent/analyst sql.query crm.orders read',
    'permit',
  ]);
  expect(below('checks', text)).toEqual([
    'ok   task_live',
    'ok   tool_policy: analysts and executors may run warehouse tools',
    'tools.warehouse permits: deploy/sample/policy/tools.cedar:3',
    'ok   dataset_policy: analysts may read customer relations data',
    'data.crm-read permits: deploy/sample/policy/datasets.cedar:3',
  ]);
  expect(below('policies', text)).toEqual([`${then.digest}, as they stand today`]);
  expect(below('obligations', text)).toEqual(['at most 300 s, by tools.warehouse, data.crm-read']);
  expect(below('what would have to change', text)).toEqual(['nothing: it was permitted']);
});

it('tells of several policies which words are whose', () => {
  const policies = ['guard.budget', 'guard.drift'];
  const text = told(recorded(0, { checks: [{ check: 'tool_policy', ok: false, policies, reason: 'both' }] }));

  expect(below('checks', text)).toEqual([
    'NOT  tool_policy: both',
    expect.stringMatching(/^guard\.budget forbids: \S+:\d+, the task has used up its calls or rows$/),
    expect.stringMatching(/^guard\.drift forbids: \S+:\d+, the agent's behaviour has drifted from its task$/),
  ]);
});

it('shows the facts, each as policy saw it', () => {
  expect(below('facts', told(recorded(0)))).toEqual([
    'asked  callTool on Tool sql.query with dataset crm.orders, verb "read"',
    'readDataset on Dataset crm.orders with tool sql.query',
    expect.stringMatching(
      /^task {3}.*deadline 2026-01-05T13:00:00\.000Z, .*onBehalfOf user:maria@corp\.example, purpose "Reconcile October invoices", risk "low"/,
    ),
    expect.stringMatching(/^now {4}.*approval "none", approverCount 0, approvers \[\], .*drift 0, /),
    expect.stringMatching(
      /^Agent spiffe:\/\/dev\.mayfly\/agent\/analyst: .*environment "development", .*; in analysts$/,
    ),
    'Tool sql.query: external false, risk 20; in warehouse',
    'Dataset crm.orders: classification internal, pii false, residency "eu"; in crm',
  ]);
});

it.each([
  {
    what: 'the guard that forbade',
    call: () => recorded(6),
    lines: [
      expect.stringMatching(
        /^dataset_policy: guard\.salaries \(\S+guards\.cedar:\d+\) must not forbid; no permit is stronger$/,
      ),
    ],
  },
  {
    what: 'the approval that lifts it',
    call: () => recorded(3, { obligations: { ttlMs: null, approval: 'one-person' } }),
    lines: [
      expect.stringMatching(
        /^dataset_policy: one-person approval lifts guard\.write-approval \(\S+guards\.cedar:\d+\)$/,
      ),
    ],
  },
  {
    what: 'the permits that come near',
    call: () => recorded(1),
    lines: [
      expect.stringMatching(/^tool_policy: tools\.warehouse \(\S+tools\.cedar:3\) does not hold: when \{/),
      'dataset_policy: data.crm-read (deploy/sample/policy/datasets.cedar:3) is for other agents',
      'dataset_policy: data.orders-read (deploy/sample/policy/datasets.cedar:12) is for other agents',
    ],
  },
  {
    what: 'a wall',
    call: () => {
      const { decided } = recorded(0, {
        ...{ decision: 'deny', code: 'ERR_NOT_DECLARED' },
        checks: [{ check: 'in_declaration', ok: false, reason: 'outside of it' }],
      });
      const { inputs: _asked, ...walled } = decided;
      return { decided: walled, inputs: null };
    },
    lines: ['in_declaration: outside of it. It is a wall: no policy moves it'],
  },
  {
    what: 'a policy that failed',
    call: () =>
      recorded(6, {
        code: 'ERR_POLICY_FAILED',
        checks: [{ check: 'tool_policy', ok: false, policies: ['guard.sum'], reason: 'a policy failed' }],
      }),
    lines: ['tool_policy: a policy failed. What fails is denied: mend the policy'],
  },
  {
    what: 'what cannot be enforced',
    call: () => {
      const { checks } = recorded(0).decided;
      return recorded(0, { decision: 'deny', code: 'ERR_POLICY_FAILED', checks });
    },
    lines: ['every check held: policy asked for something that cannot be enforced, such as a row filter'],
  },
])('says what would have to change: $what', ({ call, lines }) => {
  expect(below('what would have to change', told(call()))).toEqual(lines);
});

describe('says what it does not know', () => {
  it('facts that are gone', () => {
    const text = told({ ...recorded(1), inputs: null });

    expect(below('facts', text)).toEqual([
      'not kept any more (retention.decisionInputDays): only what stands above is known',
    ]);
    expect(below('what would have to change', text)[0]).toBe(
      'tool_policy: no policy permitted it; which ones come near cannot be told, for the facts are not kept any more',
    );
  });

  it('policies of today that cannot be read', () => {
    const text = told(recorded(1), null);

    expect(below('policies', text)).toEqual([
      `${then.digest} decided`,
      'those of today cannot be read, so that nothing is told of their text',
    ]);
    expect(text).toContain('for the policies of today cannot be read');
  });

  it('who set the time to live, where policies have changed since', () => {
    const text = told(
      recorded(0, { policySet: 'sha256:other', obligations: { ttlMs: 300_000, approval: null } }),
    );

    expect(below('policies', text)).toEqual([
      'sha256:other decided',
      `${then.digest} today: they have changed since, and what stands under a name may be another policy by now`,
      expect.stringMatching(/^those of today, on the same facts: permit: /),
    ]);
    expect(below('obligations', text)[0]).toContain('by which policy cannot be told');
  });

  it('a policy that is not there any more', () => {
    const rules = new Map([...policies.rules].filter(([id]) => id !== 'tools.warehouse'));

    expect(below('checks', told(recorded(0), { ...policies, rules }))).toContain(
      'tools.warehouse: not there any more',
    );
  });
});

it('tells earlier decisions and what followed', () => {
  const explanation = explainCall(recorded(0), policies);
  const earlier = [recorded(3).decided];
  const followed = [{ type: 'lease.issued', at: '2026-01-05T12:00:01.000Z', leaseId: 'lease' }];
  const text = explanationText(explanation, { earlier, followed });

  expect(below('decided before', text)).toEqual([
    '2026-01-05T12:00:00.003Z approval_required ERR_APPROVAL_REQUIRED',
  ]);
  expect(below('what followed', text)).toEqual(['2026-01-05T12:00:01.000Z lease.issued lease']);
});

it('prints nothing that a terminal would obey', () => {
  const call = recorded(0, { checks: [{ check: 'tool_policy', ok: false, reason: 'a\u001b[2Jb\u202ec' }] });

  expect(told(call)).not.toMatch(/\p{Cf}|\p{Cc}(?<!\n)/u);
});
