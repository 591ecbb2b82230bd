import { judgeTarget } from './judge-target.mjs';
import { judgeTask } from './judge.mjs';

const TASKS = 'mayfly.task.events.v1';
const CREDENTIALS = 'mayfly.credential.events.v1';
const DELIVERY = 'mayfly.credential.delivery.v1';
const END_MS = Date.UTC(2026, 2, 1, 10, 0, 30);
const task = { taskId: 'T', startId: 'start', endId: 'end', calls: [{ callId: 'C', ceIds: ['call'] }] };

type Told = [topic: string, type: string, data?: object];
/** As `Records` keeps them; ids are their places in the list unless the data says what they are. */
const records = (told: readonly Told[]) =>
  told.map(([topic, type, data = {}], index) => {
    const facts = { actor: '//mayfly/broker', ...data };
    const text = JSON.stringify(facts);
    return {
      ...{ topic, type, text, partition: 0, offset: BigInt(index), ceId: `${type} ${text}` },
      ...{ data: facts, appendedAtMs: END_MS - 30_000 + index },
    };
  });
const judged = (told: readonly Told[]) => judgeTask(task, records(told));

const lease = { leaseId: 'L', callId: 'C', principal: 'kdevL', notAfter: '2026-03-01T10:02:00.000Z' };
const WHOLE: readonly Told[] = [
  [CREDENTIALS, 'task.accepted', { causedBy: 'start' }],
  [CREDENTIALS, 'call.decided', { callId: 'C', decision: 'permit', leaseId: 'L' }],
  [CREDENTIALS, 'lease.intended', lease],
  [CREDENTIALS, 'lease.issued', lease],
  [DELIVERY, 'credential.delivered', { callId: 'C', leaseId: 'L' }],
  [TASKS, 'task.ended', { taskId: 'T' }],
  [CREDENTIALS, 'task.ended', { taskId: 'T' }],
  [CREDENTIALS, 'lease.revocation_requested', { leaseId: 'L' }],
  [DELIVERY, 'lease.ended', { leaseId: 'L' }],
  [CREDENTIALS, 'lease.access_cut', { leaseId: 'L' }],
  [CREDENTIALS, 'lease.removed', { leaseId: 'L' }],
];
const without = (type: string) => WHOLE.filter(([, each]) => each !== type);

describe('a task', () => {
  it('is clean when each event had its one effect, and its lease ends with it', () => {
    expect(judged(WHOLE)).toMatchObject({
      lost: [],
      duplicated: [],
      leases: [{ leaseId: 'L', principal: 'kdevL', endedAtMs: END_MS - 30_000 + 5 }],
    });
  });

  it('is clean when a record was sent twice', () => {
    expect(judged([...WHOLE, ...WHOLE])).toMatchObject({ lost: [], duplicated: [] });
  });

  it('is clean when policy permitted a call, and its target was away', () => {
    const away = { callId: 'C', decision: 'permit', code: 'ERR_TARGET_UNAVAILABLE' };
    const told: Told[] = [
      [CREDENTIALS, 'task.accepted', { causedBy: 'start' }],
      [CREDENTIALS, 'call.decided', away],
      [DELIVERY, 'call.refused', { callId: 'C', code: away.code }],
      [CREDENTIALS, 'task.ended', { taskId: 'T' }],
    ];
    expect(judged(told)).toMatchObject({ lost: [], duplicated: [], leases: [] });
    const [start, , ...rest] = told;
    const codeless: Told = [CREDENTIALS, 'call.decided', { callId: 'C', decision: 'permit' }];
    expect(judged([start as Told, codeless, ...rest]).lost).toContain(
      'task T: call C: permits and intents: undefined',
    );
  });

  it.each([
    ['task.accepted', 'verdicts on the start: 0, not 1'],
    ['call.decided', 'call C: decisions: 0, not 1'],
    ['credential.delivered', 'call C: answers: 0, not 1'],
    ['lease.access_cut', 'lease L: proofs of its cut: 0, not 1'],
    ['lease.removed', 'lease L: removals: 0, not 1'],
    ['lease.ended', 'lease L: notices to its agent: 0, not 1'],
  ])('has lost something without %s', (type, what) => {
    expect(judged(without(type)).lost).toContain(`task T: ${what}`);
  });

  it.each<[Told, string]>([
    [[CREDENTIALS, 'task.accepted', { causedBy: 'start', at: 'later' }], 'verdicts on the start: 2, not 1'],
    [[CREDENTIALS, 'lease.intended', { ...lease, leaseId: 'M' }], 'call C: leases not abandoned: 2, not 1'],
    [
      [CREDENTIALS, 'lease.access_cut', { leaseId: 'L', at: 'later' }],
      'lease L: proofs of its cut: 2, not 1',
    ],
    [
      [DELIVERY, 'credential.delivered', { callId: 'C', leaseId: 'L', at: 'x' }],
      'call C: envelopes: 2, not 1',
    ],
  ])('has done something twice with another %j', (more, what) => {
    expect(judged([...WHOLE, more]).duplicated).toContain(`task T: ${what}`);
  });
});

describe('a renewal', () => {
  const renewing = {
    ...task,
    calls: [{ callId: 'C', ceIds: ['call'], renewal: { ceId: 'more', leaseId: 'L' } }],
  };
  const later = { leaseId: 'L', causedBy: 'more', notAfter: '2026-03-01T10:04:00.000Z' };
  const granted: readonly Told[] = [
    [CREDENTIALS, 'lease.renewed', later],
    [DELIVERY, 'lease.renewed', { leaseId: 'L', notAfter: later.notAfter }],
  ];
  const refused: readonly Told[] = [
    [CREDENTIALS, 'lease.renewal_refused', { leaseId: 'L', causedBy: 'more' }],
    [DELIVERY, 'lease.renewal_refused', { leaseId: 'L' }],
  ];
  const among = (told: readonly Told[]) =>
    judgeTask(renewing, records([...WHOLE.slice(0, 5), ...told, ...WHOLE.slice(5)]));
  const ends = (told: readonly Told[]) => {
    const expired = told.filter(([, type]) => type !== 'task.ended');
    return judgeTask(renewing, records(expired)).leases.map(({ endedAtMs }) => endedAtMs);
  };

  it.each([granted, refused])(
    'is clean when its agent was told the one thing that was decided',
    (...told) => {
      expect(among(told)).toMatchObject({ lost: [], duplicated: [] });
    },
  );

  it('is lost without a decision, and without a notice', () => {
    expect(among([]).lost).toEqual(['task T: lease L: decisions on its renewal: 0, not 1']);
    expect(among(granted.slice(0, 1)).lost).toEqual([
      'task T: lease L: notices that it was renewed: 0, not 1',
    ]);
    expect(among(refused.slice(0, 1)).lost).toEqual(['task T: lease L: notices that it was not: 0, not 1']);
  });

  it('is decided once', () => {
    expect(among([...granted, ...refused]).duplicated).toEqual([
      'task T: lease L: decisions on its renewal: 2, not 1',
    ]);
  });

  it('moves the end of its lease, but for that of its task', () => {
    expect(ends([...WHOLE, ...granted])).toEqual([Date.parse(later.notAfter)]);
    expect(ends([...WHOLE, ...refused])).toEqual([Date.parse(lease.notAfter)]);
    expect(among(granted).leases[0]?.endedAtMs).toBeLessThan(END_MS);
  });
});

describe('the target', () => {
  const ended = { taskId: 'T', leaseId: 'L', principal: 'kdevL', endedAtMs: END_MS };
  const seen = (lastUsableAtMs: number | undefined, more: object = {}) =>
    judgeTarget({
      leases: [ended],
      existing: [],
      usable: [],
      taken: [],
      lastUsableAtMs: () => lastUsableAtMs,
      backAtMs: 0,
      ...more,
    });

  it('is clean when nothing is left, and nothing was of use for long', () => {
    expect(seen(END_MS + 5_000)).toEqual({ orphans: [], late: [], longestMs: 5_000 });
    expect(seen(undefined)).toEqual({ orphans: [], late: [], longestMs: 0 });
  });

  it('has an orphan where a principal is left, of use or not', () => {
    expect(seen(undefined, { existing: ['kdevL'] }).orphans).toEqual(['kdevL is still at the target']);
    expect(seen(undefined, { usable: ['kdevM'] }).orphans).toEqual(['kdevM can still be used']);
  });

  it('has one where a service still takes a token', () => {
    expect(seen(undefined, { taken: [{ leaseId: 'L' }] }).orphans).toEqual([
      'the token of lease L is still taken',
    ]);
  });

  it('is late where a lease was of use for more than five seconds after its end', () => {
    expect(seen(END_MS + 5_001).late).toEqual(['task T: lease L was of use 5001 ms too long']);
  });

  it('has as much patience as it is told', () => {
    expect(seen(END_MS + 15_000, { lateMs: 15_000 }).late).toEqual([]);
    expect(seen(END_MS + 15_001, { lateMs: 15_000 }).late).toHaveLength(1);
  });

  it('counts from when everything was back, where that was later', () => {
    expect(seen(END_MS + 60_000, { backAtMs: END_MS + 55_000 }).late).toEqual([]);
    expect(seen(END_MS + 60_001, { backAtMs: END_MS + 55_000 }).late).toEqual([
      'task T: lease L was of use 5001 ms too long',
    ]);
  });
});
