import {
  asked,
  calledTask,
  codeOf,
  decide,
  endOf,
  facts,
  iso,
  issuedLease,
  LATER,
  MINUTE,
  POLICY_TTL,
  renewable,
} from '../test/asked-renewal.js';
import {
  ANALYST,
  call,
  catalogue,
  CHILD,
  judge,
  LEASE,
  NOW,
  openTask,
  PLANNER,
  sender,
  STRANGER,
  TASK,
} from '../test/fixture.js';
import type { Catalogue } from './catalogue.js';
import { evolveLease } from './lease.js';
import { decideRenewal, renewalFailed } from './renew-lease.js';
import type { CallQuestion } from './verdict.js';

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
