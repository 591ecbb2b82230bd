import { generationOf, GOOD_STANDING, hearOfAgent, isInStanding } from './agent-standing.js';

const ANALYST = 'spiffe://dev.mayfly/agent/analyst';
const common = { taskId: 'revocations', generation: 0, actor: 'user:nadia@corp.example', at: '' };
const word = { agent: ANALYST, by: 'user:nadia@corp.example', reason: 'seen' };
const revoked = (generationBelow: number) => ({
  type: 'agent.revoked' as const,
  data: { ...common, ...word, generationBelow },
});
const reinstated = (agentGeneration: number) => ({
  type: 'agent.reinstated' as const,
  data: { ...common, ...word, agentGeneration },
});
const after = (...events: (ReturnType<typeof revoked> | ReturnType<typeof reinstated>)[]) =>
  events.reduce(hearOfAgent, GOOD_STANDING);

it('an agent is revoked until it is reinstated, each time in a generation of its own', () => {
  expect(after(revoked(1))).toEqual({ generation: 1, revoked: true });
  expect(after(revoked(1), reinstated(1))).toEqual({ generation: 1, revoked: false });
  expect(after(revoked(1), reinstated(1), revoked(2))).toEqual({ generation: 2, revoked: true });
});

it('what is heard twice, or late, changes nothing', () => {
  expect(after(revoked(1), revoked(1))).toEqual({ generation: 1, revoked: true });
  expect(after(revoked(1), reinstated(1), revoked(1))).toEqual({ generation: 1, revoked: false });
  expect(after(revoked(2), reinstated(1))).toEqual({ generation: 2, revoked: true });
});

it('a lease may be lent on only in the generation that its agent has now', () => {
  expect(isInStanding(undefined, GOOD_STANDING)).toBe(true);
  expect(isInStanding(undefined, after(revoked(1)))).toBe(false);
  expect(isInStanding(undefined, after(revoked(1), reinstated(1)))).toBe(false);
  expect(isInStanding(1, after(revoked(1), reinstated(1)))).toBe(true);
  expect(generationOf(GOOD_STANDING)).toEqual({});
  expect(generationOf(after(revoked(1), reinstated(1)))).toEqual({ agentGeneration: 1 });
});
