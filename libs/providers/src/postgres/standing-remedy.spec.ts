import { remedyOf, type RemedyFacts, type WayRow } from './standing-remedy.js';

const ORDERS = 1;
const row = (changes: Partial<WayRow>): WayRow => ({
  ...{ login: 10, way: 'grant', through: null, first: null, rel: ORDERS },
  ...{ rights: ['SELECT'], grantor: 'shop_owner', owner: 'shop_owner' },
  ...changes,
});
const facts = (changes: Partial<RemedyFacts>): RemedyFacts => ({
  ...{ principal: 'report_bot', seesAllRows: false, grantsAll: false, rows: [] },
  relations: new Map([[ORDERS, { schema: 'crm', name: 'orders' }]]),
  ...{ memberships: [], defaults: [] },
  ...changes,
});
const statements = (changes: Partial<RemedyFacts>) =>
  remedyOf(facts(changes)).filter((line) => !line.startsWith('--'));

it('takes a right in the name of whoever granted it, each of them once', () => {
  const rows = [row({}), row({}), row({ grantor: 'maria' })];
  expect(statements({ rows })).toEqual([
    'REVOKE SELECT ON TABLE "crm"."orders" FROM "report_bot";',
    'SET LOCAL ROLE "maria";',
    'REVOKE SELECT ON TABLE "crm"."orders" FROM "report_bot";',
    'RESET ROLE;',
  ]);
});

it('takes what comes through roles by the membership that leads there, and leaves the others', () => {
  const memberships = [
    { member: 'report_bot', role: 'staff', grantor: 'postgres' },
    { member: 'report_bot', role: 'lunch', grantor: 'postgres' },
    { member: 'somebody', role: 'staff', grantor: 'postgres' },
  ];
  const rows = [
    row({ through: 'readers', first: 'staff' }),
    row({ way: 'superuser', through: 'dba', first: 'staff' }),
  ];
  expect(statements({ rows, memberships })).toEqual([
    'REVOKE "staff" FROM "report_bot" GRANTED BY "postgres";',
  ]);
});

it('takes CREATEROLE where it gives any role away, and only if that is the way', () => {
  const mayGrant = row({ way: 'may_grant', through: 'readers', first: 'readers' });
  expect(statements({ rows: [mayGrant], grantsAll: true })).toEqual([
    'ALTER ROLE "report_bot" NOCREATEROLE;',
  ]);
  expect(statements({ rows: [mayGrant] })).toEqual([]);
  expect(statements({ rows: [row({ way: 'replication', rel: null })], grantsAll: true })).toEqual([
    'ALTER ROLE "report_bot" NOREPLICATION;',
  ]);
});

it('leaves to people what would take something from others', () => {
  const rows = [
    row({ way: 'public' }),
    row({ way: 'owner', rights: null }),
    row({ way: 'superuser', rel: null }),
  ];
  expect(statements({ rows })).toEqual([]);
  expect(remedyOf(facts({ rows }))).toEqual(
    expect.arrayContaining([
      '-- REVOKE SELECT ON TABLE "crm"."orders" FROM PUBLIC;',
      '-- ALTER TABLE "crm"."orders" OWNER TO …;',
      '-- ALTER ROLE "report_bot" NOSUPERUSER;',
    ]),
  );
});
