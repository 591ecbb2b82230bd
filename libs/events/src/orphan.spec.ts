import { afterCut } from './cut-proof.js';
import { adoptOrphan, isPastGrace, NO_TASK } from './orphan.js';

/** A UUIDv7 of 2026-11-28T12:00:00.000Z. */
const BORN = Date.parse('2026-11-28T12:00:00.000Z');
const LEASE = `${BORN.toString(16)
  .padStart(12, '0')
  .replace(/^(.{8})(.{4})$/, '$1-$2')}-7000-8000-000000000001`;
const GRACE_MS = 30_000;
const orphan = { leaseId: LEASE, provider: 'postgres' as const, target: 'shop', principal: 'ksmp01' };

describe('the grace of an orphan', () => {
  it.each([
    ['just made', 0, false],
    ['a moment before it is over', GRACE_MS - 1, false],
    ['over', GRACE_MS, true],
    ['of an old backup', 86_400_000, true],
    ['a little ahead of our clock', -2_000, false],
    ['of a name that claims to be of the future', -GRACE_MS, true],
  ])('counts from the time in its name: %s', (_what, ageMs, isPast) => {
    expect(isPastGrace(LEASE, BORN + ageMs, GRACE_MS)).toBe(isPast);
  });

  it('may be none', () => {
    expect(isPastGrace(LEASE, BORN, 0)).toBe(true);
  });
});

it('an orphan is found, due at once, and told in short when its cut is proven', () => {
  const { lease, events, actAtMs } = adoptOrphan(orphan, BORN);
  expect(events.map(({ type }) => type)).toEqual(['orphan.found', 'lease.revocation_requested']);
  expect([lease.taskId, lease.state, actAtMs]).toEqual([NO_TASK, 'due', BORN]);

  const observation = {
    ...{ state: 'disabled' as const, atMs: BORN + 31, incarnation: 'one' },
    nodes: { seen: 1, expected: 1 },
  };
  const cut = afterCut(
    lease,
    {
      ...{ startedAtMs: BORN + 1, endedAtMs: BORN + 32 },
      report: { observation, emptyObservations: 2, sessionsEnded: 0 },
    },
    { fencing: 'fenced', maxClockSkewMs: 2_000 },
  );

  expect(cut.events.map(({ type }) => type)).toEqual(['lease.access_cut', 'orphan.cut']);
  expect(cut.events[1]?.data).toEqual({
    ...{ leaseId: LEASE, target: 'shop', principal: 'ksmp01' },
    exposureMs: 31,
  });
});
