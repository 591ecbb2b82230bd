import { logPlan, nameOfStep } from './log-plan.mjs';

const wanted = { kills: 500, restarts: 50, seed: 3 };
const count = (kind: string) => logPlan(wanted).filter((step) => step.kind === kind).length;

it('is the same for the same seed, and another for another', () => {
  expect(logPlan(wanted)).toEqual(logPlan(wanted));
  expect(logPlan(wanted)).not.toEqual(logPlan({ ...wanted, seed: 4 }));
});

it('kills as often as it is asked to, in each way, and restarts the database as often', () => {
  const killed = logPlan(wanted).filter(({ kind }) => kind !== 'replay');
  expect(killed.reduce((sum, { kills }) => sum + kills, 0)).toBe(500);
  expect(count('store_restart')).toBe(50);
  for (const kind of ['kill', 'death', 'takeover', 'pair', 'replay']) expect(count(kind)).toBeGreaterThan(5);
});

it('has a line for each step', () => {
  for (const step of logPlan(wanted)) expect(nameOfStep(step)).toMatch(/^[a-z_]+( [a-z_.:0-9]+)*$/);
});
