import { catalogue } from '../test/fixture.js';
import {
  governedAt,
  isOverdue,
  judgeSurvey,
  type AllowedAccess,
  type KnownStanding,
  type StandingAccess,
} from './standing-access.js';

const NOW = Date.parse('2026-11-28T12:00:00.000Z');
const bot: StandingAccess = {
  principal: 'report_bot',
  reaches: [{ dataset: 'crm.orders', actions: ['read'] }],
  how: [{ way: 'grant', object: 'crm.orders', rights: ['SELECT'] }],
  neverExpires: true,
  remedy: ['REVOKE SELECT ON TABLE "crm"."orders" FROM "report_bot";'],
};
const wider: StandingAccess = { ...bot, reaches: [{ dataset: 'crm.orders', actions: ['read', 'write'] }] };
const allows = (review: string): AllowedAccess => ({
  ...{ target: 'shop', principal: 'report_bot', reason: 'the nightly report', review },
});
const told = (access = bot, counts = true): Map<string, KnownStanding> =>
  new Map([[access.principal, { access, counts, foundAtMs: NOW - 3_600_000 }]]);

const judge = (
  seen: readonly StandingAccess[],
  before = new Map<string, KnownStanding>(),
  allowed: readonly AllowedAccess[] = [],
  nowMs = NOW,
) =>
  judgeSurvey(
    {
      ...{ target: 'shop', provider: 'postgres', seen, allowed, nowMs },
      owners: new Map([['crm.orders', 'sales@corp.example']]),
    },
    before,
  );

describe('a survey', () => {
  it('tells what it finds, with the owners of the data', () => {
    expect(judge([bot])).toEqual({
      events: [
        {
          type: 'standing_access.found',
          data: {
            ...{ target: 'shop', provider: 'postgres', principal: 'report_bot', neverExpires: true },
            reaches: [{ dataset: 'crm.orders', actions: ['read'] }],
            ways: ['grant'],
            owners: ['sales@corp.example'],
          },
        },
      ],
      keep: [{ access: bot, counts: true, foundAtMs: NOW }],
      drop: [],
    });
  });

  it('tells nothing of what it finds again, and remembers since when', () => {
    const { events, keep } = judge([bot], told());
    expect(events).toEqual([]);
    expect(keep).toEqual([{ access: bot, counts: true, foundAtMs: NOW - 3_600_000 }]);
  });

  it('tells again of what reaches more than before, and not of what reaches less', () => {
    expect(judge([wider], told()).events).toMatchObject([{ type: 'standing_access.found' }]);
    expect(judge([bot], told(wider)).events).toEqual([]);
  });

  it('tells once that something is gone', () => {
    const { events, drop } = judge([], told());
    expect(drop).toEqual(['report_bot']);
    expect(events).toEqual([
      {
        type: 'standing_access.gone',
        data: { target: 'shop', provider: 'postgres', principal: 'report_bot', why: 'no_access' },
      },
    ]);
    expect(judge([]).events).toEqual([]);
  });

  it('tells of so many datasets at most, and how many more there are', () => {
    const reaches = Array.from({ length: 60 }, (_, n) => ({ dataset: `d${n}`, actions: ['read'] }));
    const [event] = judge([{ ...bot, reaches }]).events;
    expect(event?.data).toMatchObject({ more: 10 });
    expect(event?.data).toHaveProperty('reaches.length', 50);
  });
});

describe('an account that is allowed', () => {
  it('is not told, and is kept', () => {
    const { events, keep } = judge([bot], undefined, [allows('2027-10-31')]);
    expect(events).toEqual([]);
    expect(keep).toMatchObject([{ counts: false }]);
  });

  it('is told as gone once it is allowed, with the reason, and once only', () => {
    const { events, keep } = judge([bot], told(), [allows('2027-10-31')]);
    expect(events).toMatchObject([
      {
        type: 'standing_access.gone',
        data: { why: 'allowed', reason: 'the nightly report', review: '2027-10-31' },
      },
    ]);
    expect(keep).toMatchObject([{ counts: false }]);
    expect(judge([bot], told(bot, false), [allows('2027-10-31')]).events).toEqual([]);
  });

  it('is told when the day of its review is over, in UTC', () => {
    const lastMoment = Date.parse('2026-11-28T23:59:59.999Z');
    const allowed = [allows('2026-11-28')];
    expect(judge([bot], told(bot, false), allowed, lastMoment).events).toEqual([]);
    expect(judge([bot], told(bot, false), allowed, lastMoment + 1).events).toMatchObject([
      { type: 'standing_access.found' },
    ]);
    expect(isOverdue({ review: '2026-11-28' }, lastMoment)).toBe(false);
    expect(isOverdue({ review: '2026-11-28' }, lastMoment + 1)).toBe(true);
  });

  it('is allowed at its own target, by its whole name', () => {
    const others = [
      { ...allows('2027-10-31'), target: 'store' },
      { ...allows('2027-10-31'), principal: 'report' },
    ];
    expect(judge([bot], undefined, others).events).toMatchObject([{ type: 'standing_access.found' }]);
  });

  it('that goes for good is told nothing of: it was never told as found', () => {
    const { events, drop } = judge([], told(bot, false), [allows('2027-10-31')]);
    expect([events, drop]).toEqual([[], ['report_bot']]);
  });
});

it('governs at a target what the catalogue has there, action by action', () => {
  expect(governedAt('shop', catalogue)).toContainEqual({
    ...{ dataset: 'crm.orders', action: 'read', reads: true },
    rights: expect.any(Array) as string[],
  });
  expect(governedAt('nowhere', catalogue)).toEqual([]);
});
