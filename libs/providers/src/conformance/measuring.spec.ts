/** The parts of the kit that count: they find a cut that cuts nothing. */
import { harness as jwtHarness } from '../jwt/jwt-world.contract.js';
import type { CredentialProvider, CutReport } from '../provider.js';
import type { ProviderHarness } from './harness.contract.js';
import { measureCuts, spread } from './measure.contract.js';
import { reconnectTrials } from './reconnecting.contract.js';

const size = { trials: 2, connections: 3 };

/** Cuts in this way instead. */
function withCut(harness: ProviderHarness, cut: CredentialProvider['cut']): ProviderHarness {
  const clean = () => Promise.resolve(claimed.observation);
  return { ...harness, revoker: { ...harness.revoker, cut, clean } };
}

const claimed: CutReport = {
  observation: { state: 'disabled', sessions: 0, atMs: 0, incarnation: 'x', nodes: { seen: 1, expected: 1 } },
  emptyObservations: 2,
  sessionsEnded: 0,
};

it('finds no survivor of a cut that cuts', async () => {
  expect(await reconnectTrials(jwtHarness(), size)).toEqual({ trials: 2, survivors: 0, unproven: 0 });
});

it('finds every connection that survives a cut that only says so', async () => {
  const harness = withCut(jwtHarness(), () => Promise.resolve(claimed));
  expect(await reconnectTrials(harness, size)).toEqual({ trials: 2, survivors: 6, unproven: 0 });
});

it('counts a cut that does not say that there is no access', async () => {
  const harness = jwtHarness();
  const { revoker } = harness;
  const doubting = withCut(harness, async (plan) => ({ ...(await revoker.cut(plan)), emptyObservations: 1 }));
  expect(await reconnectTrials(doubting, size)).toEqual({ trials: 2, survivors: 0, unproven: 2 });
});

it('measures from the call of a cut to the refusal and to the proof', async () => {
  const { cuts, refusedMs, provenMs } = await measureCuts(jwtHarness(), 3);
  expect(cuts).toBe(3);
  expect(refusedMs.p50).toBeLessThanOrEqual(refusedMs.max);
  expect(provenMs.max).toBeGreaterThan(0);
});

it('gives percentiles by nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i);
  expect(spread(hundred)).toEqual({ p50: 50, p99: 99, max: 100 });
  expect(spread([7.04])).toEqual({ p50: 7, p99: 7, max: 7 });
});
