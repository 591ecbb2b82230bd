import {
  asked,
  calledTask,
  codeOf,
  decide,
  issuedLease,
  LATER,
  MINUTE,
  renewable,
} from '../test/asked-renewal.js';
import { ANALYST, catalogue, CHILD, HASH, judge, openTask, sender, TASK } from '../test/fixture.js';
import type { Catalogue } from './catalogue.js';
import { decideEnd } from './end-task.js';
import type { Lease } from './lease.js';
import { decideResumption, decideSuspension } from './suspend-task.js';
import { evolve, type Task } from './task.js';

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
