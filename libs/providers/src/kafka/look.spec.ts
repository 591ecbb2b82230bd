import type { CheckedPlan } from './checked-plan.js';
import type { View } from './cluster.js';
import { isEverywhere, isWhole, lookAt, type Held } from './look.js';

const plan: CheckedPlan = { leaseId: '019356a4-9d2f-7c31-8b1e-4f0a2c6d7e88', principal: 'kdev0192' };
const NOTHING: Held = { acls: 0, credentials: 0 };
const BOTH: Held = { acls: 2, credentials: 1 };
const LOGIN: Held = { acls: 0, credentials: 1 };
const ACLS: Held = { acls: 2, credentials: 0 };

/** Brokers that hold so much of it each; the others do not answer. */
const clusterOf = (expected: number, ...held: Held[]) => ({
  everywhere: <T>() =>
    Promise.resolve({
      answers: held.map((each) => new Map([[plan.principal, each]])),
      ...{ expected, incarnation: 'cluster/7' },
    } as unknown as View<T>),
});
const look = async (expected: number, ...held: Held[]) => {
  const [seen] = await lookAt(clusterOf(expected, ...held), 'cut', [plan]);
  if (seen === undefined) throw new Error('a look gave nothing');
  return { ...seen, isEverywhere: isEverywhere(seen, isWhole) };
};

it.each([
  ['nowhere is absent', [NOTHING, NOTHING], 'absent', false],
  ['everywhere is live', [BOTH, BOTH], 'live', true],
  ['at one broker that lags is live', [NOTHING, BOTH], 'live', false],
  ['with ACLs alone is live: a session may be open', [ACLS, ACLS], 'live', false],
  ['with a login alone is disabled', [NOTHING, LOGIN], 'disabled', false],
])('a principal %s', async (_what, held, state, isKnownEverywhere) => {
  expect(await look(2, ...held)).toMatchObject({
    isEverywhere: isKnownEverywhere,
    observation: { state, sessions: 0, incarnation: 'cluster/7', nodes: { seen: 2, expected: 2 } },
  });
});

it('is unknown where a broker does not answer, but for what the others hold', async () => {
  const nodes = { seen: 1, expected: 2 };

  expect(await look(2, NOTHING)).toMatchObject({
    isEverywhere: false,
    observation: { state: 'unknown', sessions: null, nodes },
  });
  expect(await look(2, BOTH)).toMatchObject({ isEverywhere: false, observation: { state: 'live', nodes } });
});
