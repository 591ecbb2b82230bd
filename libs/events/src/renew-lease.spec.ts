import {
  ANALYST,
  call,
  catalogue,
  CHILD,
  HASH,
  LEASE,
  NOW,
  openTask,
  PLANNER,
  sender,
  judge,
  STRANGER,
  TASK,
  callFacts,
} from '../test/fixture.js';
import { decideCall } from './call.js';
import type { Catalogue } from './catalogue.js';
import { decideEnd } from './end-task.js';
import { evolveLease, leaseOf, type Lease } from './lease.js';
import { decideRenewal, renewalFailed, type Renewal, type RenewalFacts } from './renew-lease.js';
import { decideResumption, decideSuspension } from './suspend-task.js';
import { evolve, type Task } from './task.js';
import type { CallQuestion } from './verdict.js';

const MINUTE = 60_000;
/** What the judge of the fixture permits: five minutes; the target would give ten, the task lasts an hour. */
const POLICY_TTL = 300_000;
const LATER = NOW + 4 * MINUTE;
const iso = (ms: number) => new Date(ms).toISOString();

function calledTask(task = openTask()): Task {
  const decided = decideCall(call(), sender(ANALYST), callFacts({ task }));
  if (decided.is !== 'decided') throw new Error('the call of the fixture was rejected');
  return evolve(task, decided.decided);
}

function issuedLease(task = openTask(), ancestors: readonly Task[] = []): Lease {
  const decided = decideCall(call({ taskId: task.taskId }), sender(ANALYST), callFacts({ task, ancestors }));
  if (decided.is !== 'decided' || decided.intended === null)
    throw new Error('the call of the fixture was denied');
  return { ...leaseOf(decided.intended), state: 'issued' };
}

const facts = (change: Partial<RenewalFacts> = {}): RenewalFacts => ({
  task: calledTask(),
  ancestors: [],
  catalogue,
  judge: judge(),
  sealKeyThumbprint: 'thumbprint of the seal key',
  nowMs: LATER,
  renewable: renewable(),
  extendedToMs: null,
  ...change,
});
const renewable = (lease: Lease = issuedLease()) => ({
  lease,
  intended: { target: 'shop', rights: ['pol_orders_read'] },
  call: call(),
});
const asked: Renewal = { taskId: TASK, leaseId: LEASE };
const decide = (change: Partial<RenewalFacts> = {}, renewal = asked, by = ANALYST) =>
  decideRenewal(renewal, sender(by), facts(change));
const codeOf = (change: Partial<RenewalFacts>, renewal = asked) => {
  const decided = decide(change, renewal);
  return decided.is === 'refused' ? decided.event.data.code : decided.is;
};
const endOf = (change: Partial<RenewalFacts> = {}, renewal = asked) => {
  const decided = decide(change, renewal);
  return decided.is === 'granted' ? Date.parse(decided.event.data.notAfter) - LATER : decided;
};

describe('a renewal', () => {
  it('moves the end of a lease, as long from now as policy lends', () => {
    expect(decide()).toEqual({
      is: 'granted',
      event: {
        type: 'lease.renewed',
        data: {
          taskId: TASK,
          generation: 1,
          tenant: 'corp',
          causedBy: 'ce-1',
          actor: '//mayfly/broker',
          at: iso(LATER),
          leaseId: LEASE,
          callId: call().callId,
          agent: ANALYST,
          previousNotAfter: iso(NOW + POLICY_TTL),
          notAfter: iso(LATER + POLICY_TTL),
          renewals: 1,
          checks: expect.arrayContaining([
            { check: 'task_live', ok: true },
            { check: 'dataset_policy', ok: true },
          ]) as object,
          policySet: 'sha256:policy',
          inputs: 'sha256:call',
        },
      },
      inputs: { digest: 'sha256:call', inputs: {} },
    });
  });

  it('lasts as long as is asked, and no longer than target, hard end, task and ancestors allow', () => {
    const ttlMs = 2 * MINUTE;
    expect(endOf({}, { ...asked, ttlMs })).toBe(ttlMs);
    const short: Catalogue = {
      ...catalogue,
      targets: new Map([['shop', { id: 'shop', provider: 'postgres', maxTtlMs: 90_000 }]]),
    };
    expect(endOf({ catalogue: short })).toBe(90_000);
    const hardEndMs = LATER + 70_000;
    expect(endOf({ renewable: renewable({ ...issuedLease(), hardEndMs }) })).toBe(70_000);
    const task = calledTask(openTask({ deadline: iso(LATER + 65_000) }));
    expect(endOf({ task })).toBe(65_000);
  });

  it('is judged as the next one of its lease', () => {
    const questions: CallQuestion[] = [];
    const asking = {
      ...judge(),
      decideRenewal: (q: CallQuestion) => (questions.push(q), judge().decideRenewal(q)),
    };
    const first = decide({ judge: asking });
    if (first.is !== 'granted') throw new Error('the first was refused');
    const lease = evolveLease(issuedLease(), first.event);
    const second = decide({ judge: asking, renewable: renewable(lease), nowMs: LATER + MINUTE });

    expect(questions.map(({ now }) => now.renewals)).toEqual([0, 1]);
    expect(second).toMatchObject({
      event: { data: { renewals: 2, previousNotAfter: first.event.data.notAfter } },
    });
  });

  it('is judged by the counts of its moment, and the model of the call that led to it', () => {
    const questions: CallQuestion[] = [];
    const asking = {
      ...judge(),
      decideRenewal: (q: CallQuestion) => (questions.push(q), judge().decideRenewal(q)),
    };
    const model = { name: 'reader', version: '4' };
    decide({
      judge: asking,
      task: calledTask(calledTask()),
      renewable: { ...renewable(), call: call({ model }) },
    });

    expect(questions).toMatchObject([{ model, now: { callsOfTool: 2, callsOfDataset: 2, refused: 0 } }]);
  });

  it('may be told by its agent alone, with its own key', () => {
    const { task } = facts();
    const two = openTask({ agents: [{ id: ANALYST }, { id: PLANNER }] });
    const refusalOf = (by: string, key?: string, of = task) => {
      const decided = decideRenewal(asked, sender(by, 'ce-2', key), facts({ task: of }));
      return decided.is === 'rejected' ? decided.refusal.code : decided.is;
    };
    expect(refusalOf(STRANGER)).toBe('ERR_AGENT_NOT_NAMED');
    expect(refusalOf(PLANNER, undefined, two)).toBe('ERR_NOT_ENTITLED');
    expect(refusalOf(ANALYST, 'another key')).toBe('ERR_KEY_CHANGED');
    expect(decide({ renewable: null })).toMatchObject({ refusal: { code: 'ERR_NOT_ENTITLED' } });
    expect(decide({ renewable: renewable({ ...issuedLease(), taskId: CHILD }) })).toMatchObject({
      is: 'rejected',
      refusal: { code: 'ERR_NOT_ENTITLED' },
    });
  });
});

describe('a renewal is refused', () => {
  const parked = { cause: 'parked' as const, causedBy: 'x', nowMs: LATER };
  const ended = (task: Task) => {
    const by = sender(task.declaration?.orchestrator ?? '');
    const decided = decideEnd(task, { taskId: task.taskId, outcome: 'completed' }, by, {
      catalogue,
      nowMs: LATER,
    });
    return decided.is === 'decided' ? decided.events.reduce(evolve, task) : task;
  };

  it('after the end of its task', () => {
    expect(codeOf({ task: ended(calledTask()) })).toBe('ERR_TASK_ENDED');
  });

  it('under an ancestor that has ended, is suspended, or is of another generation by now', () => {
    const parent = openTask({ delegable: [{ tool: 'sql.query', dataset: 'crm.orders', actions: ['read'] }] });
    const task = openTask({ taskId: CHILD, parent: { taskId: TASK } }, [parent]);
    const lease = issuedLease(task, [parent]);
    const of = (ancestor: Task) => codeOf({ task, ancestors: [ancestor], renewable: renewable(lease) });
    const suspended = decideSuspension(parent, parked).reduce(evolve, parent);
    const resumed = decideResumption(suspended, parked).reduce(evolve, suspended);
    expect(of(parent)).toBe('granted');
    const rekeyed = { ...parent, formerKeys: { [ANALYST]: [sender(ANALYST).keyThumbprint] } };
    expect(decide({ task, ancestors: [rekeyed], renewable: renewable(lease) })).toMatchObject({
      is: 'rejected',
      refusal: { code: 'ERR_KEY_CHANGED' },
    });
    expect(of(ended(parent))).toBe('ERR_PARENT_ENDED');
    expect(of(suspended)).toBe('ERR_TASK_SUSPENDED');
    expect(of(resumed)).toBe('ERR_LEASE_NOT_RENEWABLE');
  });

  it('for a lease of an earlier generation', () => {
    const suspended = decideSuspension(calledTask(), parked).reduce(evolve, calledTask());
    expect(codeOf({ task: suspended })).toBe('ERR_TASK_SUSPENDED');
    expect(codeOf({ task: decideResumption(suspended, parked).reduce(evolve, suspended) })).toBe(
      'ERR_LEASE_NOT_RENEWABLE',
    );
  });

  it.each<[string, Partial<Lease>, string]>([
    ['that the revoker goes for', { cutHeard: true }, 'ERR_LEASE_ENDED'],
    ['whose time is over', { notAfterMs: LATER }, 'ERR_LEASE_ENDED'],
    ['in its last seconds', { notAfterMs: LATER + 5_000 }, 'ERR_RENEWAL_TOO_LATE'],
    ['that is not issued yet', { state: 'intended' }, 'ERR_LEASE_NOT_RENEWABLE'],
    ['that was abandoned', { state: 'abandoned' }, 'ERR_LEASE_NOT_RENEWABLE'],
    [
      'that lives to its hard end',
      { notAfterMs: LATER + 9_000, hardEndMs: LATER + 9_000 },
      'ERR_LEASE_NOT_RENEWABLE',
    ],
  ])('for a lease %s', (_what, change, code) => {
    expect(codeOf({ renewable: renewable({ ...issuedLease(), ...change }) })).toBe(code);
  });

  it('where it would not end later than it does', () => {
    expect(codeOf({}, { ...asked, ttlMs: MINUTE })).toBe('ERR_LEASE_NOT_RENEWABLE');
  });

  it('where today’s policy says no, and the log says why', () => {
    const call = {
      decision: 'deny' as const,
      code: 'ERR_DATASET_FORBIDDEN' as const,
      reasons: ['nobody reads orders today'],
      checks: [{ check: 'dataset_policy', ok: false, policies: ['freeze'] }],
    };
    expect(decide({ judge: judge({ call }) })).toMatchObject({
      is: 'refused',
      event: {
        type: 'lease.renewal_refused',
        data: {
          code: 'ERR_DATASET_FORBIDDEN',
          reasons: ['policy does not permit this call', 'nobody reads orders today'],
          checks: expect.arrayContaining(call.checks) as object,
          policySet: 'sha256:policy',
          inputs: 'sha256:call',
        },
      },
    });
  });

  it('where its agent is revoked, and of what it had before it was reinstated', () => {
    expect(codeOf({ standing: { generation: 1, revoked: true } })).toBe('ERR_AGENT_REVOKED');
    expect(codeOf({ standing: { generation: 1, revoked: false } })).toBe('ERR_LEASE_NOT_RENEWABLE');
  });

  it('where the catalogue does not have its agent any more', () => {
    expect(codeOf({ catalogue: { ...catalogue, agents: new Map() } })).toBe('ERR_AGENT_UNKNOWN');
  });

  it('where the catalogue lends more, less or at another target for this call by now', () => {
    const lends = (rights: string[], target = 'shop'): Catalogue => {
      const orders = catalogue.datasets.get('crm.orders')!;
      const actions = new Map([['read', { rights, cedar: 'readDataset' as const }]]);
      return {
        ...catalogue,
        datasets: new Map([['crm.orders', { ...orders, target, actions }]]),
        targets: new Map([
          ...catalogue.targets,
          ['other', { id: 'other', provider: 'postgres', maxTtlMs: 600_000 }],
        ]),
      };
    };
    expect(codeOf({ catalogue: lends(['pol_orders_read']) })).toBe('granted');
    expect(codeOf({ catalogue: lends(['pol_orders_read', 'pol_salaries_read']) })).toBe(
      'ERR_LEASE_NOT_RENEWABLE',
    );
    expect(codeOf({ catalogue: lends([]) })).toBe('ERR_LEASE_NOT_RENEWABLE');
    expect(codeOf({ catalogue: lends(['pol_orders_read'], 'other') })).toBe('ERR_LEASE_NOT_RENEWABLE');
  });

  it('where the call would be outside the declaration by now', () => {
    const task = calledTask();
    const declaration = { ...task.declaration!, objectiveSha256: HASH, declared: [] };
    expect(codeOf({ task: { ...task, declaration } })).toBe('ERR_NOT_DECLARED');
  });
});

describe('a renewal decided again, once the target has moved the end', () => {
  it('is to that end, though by now it could be later', () => {
    expect(endOf({ extendedToMs: LATER + 250_000 })).toBe(250_000);
  });

  it('is refused where policy lends for less by now', () => {
    const obligations = { ttlMs: 100_000, approval: null, rowFilters: [] };
    expect(codeOf({ extendedToMs: LATER + 250_000, judge: judge({ call: { obligations } }) })).toBe(
      'ERR_LEASE_NOT_RENEWABLE',
    );
  });

  it('fails where the target did not do it: the lease runs out', () => {
    const decided = decide();
    if (decided.is !== 'granted') throw new Error('it was refused');
    const refusal = { code: 'ERR_TARGET_UNREACHABLE' as const, reason: 'the target did not answer' };
    expect(renewalFailed(decided.event, refusal)).toMatchObject({
      type: 'lease.renewal_refused',
      data: {
        leaseId: LEASE,
        agent: ANALYST,
        causedBy: 'ce-1',
        code: refusal.code,
        reasons: [refusal.reason],
      },
    });
  });
});
