import {
  cut,
  due,
  ended,
  hearing,
  intended,
  known,
  nothing,
  outcome,
  plan,
  removed,
} from '../test/heard-lease.js';
import { hearIntended, hearRenewed } from './revocation.js';

describe('a renewal that is heard of', () => {
  const LATER = '2026-11-24T19:05:00.000Z';
  const renewed = (notAfter = LATER) => ({ ...outcome, notAfter });
  const until = (notAfter: string) => ({ ...plan, notAfter });

  it('moves the end of a known lease, and is quiet', () => {
    const heard = hearRenewed(known, renewed(), hearing());
    expect(heard).toEqual(nothing({ ...known, plan: until(LATER) }));
    expect(hearRenewed(heard.lease, renewed(), hearing())).toEqual(nothing(heard.lease));
  });

  it('never moves it back, nor past the hard end', () => {
    expect(hearRenewed(known, renewed('2026-11-24T19:01:00.000Z'), hearing()).lease).toBe(known);
    expect(hearRenewed(known, renewed('2026-11-25T00:00:00.000Z'), hearing()).lease.plan).toEqual(
      until(plan.hardEnd),
    );
  });

  it('counts when the intent is heard after it', () => {
    const { lease } = hearRenewed(null, renewed(), hearing());
    const twice = hearRenewed(lease, renewed('2026-11-24T19:03:00.000Z'), hearing()).lease;
    expect(hearIntended(twice, intended, hearing())).toEqual(nothing({ ...known, plan: until(LATER) }));
  });

  it.each([due, cut, removed])('leaves what is $state as it is: only its end is known', (lease) => {
    expect(hearRenewed(lease, renewed(), hearing())).toEqual(nothing({ ...lease, plan: until(LATER) }));
  });

  it('saves nothing from an end that was heard before', () => {
    const { lease } = hearRenewed(null, renewed(), hearing(ended));
    expect(hearIntended(lease, intended, hearing(ended)).lease).toMatchObject({
      state: 'due',
      plan: until(LATER),
    });
  });
});
