import type { Plan } from '../provider.js';
import { bornAtMs, checkCreate, checkPlan, checkRenewal } from './checked-plan.js';
import { redisSettings } from './settings.js';

const settings = redisSettings.parse({
  ...{ id: 'cache', provider: 'redis', maxTtlMs: 300_000, namespace: 'shp' },
  ...{ nodes: [{ host: '127.0.0.1' }], tls: { mode: 'disable' }, login: { user: 'x', password: 'x' } },
});
/** Born at 2026-11-24T19:00:00Z. */
const plan: Plan = {
  leaseId: '01a20eed-df80-7000-8000-00000000000a',
  provider: 'redis',
  target: 'cache',
  principal: 'kshp01m87evqw0e00800000000000a',
  rights: ['~orders:* +@read', '&news:* +subscribe'],
  createBy: '2026-11-24T19:00:10Z',
  notAfter: '2026-11-24T19:02:00Z',
  hardEnd: '2026-11-24T20:00:00Z',
};
const code = 'ERR_PLAN_INVALID';

it('is made of selectors, one for each right', () => {
  expect(bornAtMs(plan.leaseId)).toBe(Date.parse('2026-11-24T19:00:00Z'));
  const checked = checkCreate(plan, settings);
  expect(checked).toMatchObject({ principal: plan.principal, createByMs: Date.parse(plan.createBy) });
  expect(checked.selectors.map((selector) => selector.slice(0, 43))).toEqual([
    '(resetkeys resetchannels -@all ~orders:* +@',
    '(resetkeys resetchannels -@all &news:* +sub',
  ]);
});

it.each<[string, Partial<Plan>]>([
  ['no rights', { rights: [] }],
  ['seventeen rights', { rights: Array.from({ length: 17 }, (_, i) => `~orders:${i} +get`) }],
  ['a right twice', { rights: ['~orders:* +get', '~orders:* +get'] }],
  ['a right to everything', { rights: ['~orders:* +@all'] }],
  ['another target', { target: 'elsewhere' }],
  ['another kind', { provider: 'postgres' }],
  ['another principal', { principal: 'default' }],
  ['an id that is none', { leaseId: "x'" }],
  ['a time that is none', { notAfter: "2026-01-01' --" }],
  ['an end behind the last', { notAfter: '2026-11-24T20:00:01Z' }],
  ['more time than the target allows', { notAfter: '2026-11-24T19:05:11Z' }],
  ['a create long after its birth', { createBy: '2026-11-24T19:01:01Z' }],
])('is not made with %s', (_what, change) =>
  expect(() => checkCreate({ ...plan, ...change }, settings)).toThrow(
    expect.objectContaining({ code }) as Error,
  ),
);

it('is cut and looked at whatever its rights and times are', () =>
  expect(checkPlan({ ...plan, rights: [], notAfter: 'x', hardEnd: 'y' }, settings)).toEqual({
    leaseId: plan.leaseId,
    principal: plan.principal,
  }));

it('is renewed to no later than its last end, and by no more than the target allows', () => {
  expect(checkRenewal(plan, '2026-11-24T19:07:00Z', settings)).toMatchObject({
    renewByMs: Date.parse(plan.notAfter),
  });
  for (const end of ['2026-11-24T19:07:01Z', '2026-11-24T20:00:01Z', 'soon'])
    expect(() => checkRenewal(plan, end, settings)).toThrow(expect.objectContaining({ code }) as Error);
});
