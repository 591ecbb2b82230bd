import type { Catalogue } from '#events/catalogue.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { checkGrant, readExchange, TOKEN_EXCHANGE } from './exchange-request.js';

const TASK = '0192f3c4-0000-7000-8000-000000000001';
const CALL = '0192f3c4-0000-7000-8000-000000000002';
const AUDIENCE = 'http://127.0.0.1:7080';
let catalogue: Catalogue;
beforeAll(async () => {
  ({ catalogue } = await loadCatalogue('deploy/sample/catalogue', {}, { targets: 'describe' }));
});

const detail = (change: object = {}) => ({
  ...{ type: 'mayfly_tool_access', task: TASK, tool: 'orders.api', dataset: 'orders', actions: ['read'] },
  ...change,
});
const form = (change: object = {}, more: Record<string, string> = {}) =>
  new Map(Object.entries({ authorization_details: JSON.stringify([detail(change)]), ...more }));
const refusal = (error: string, code: string) => expect.objectContaining({ error, code }) as Error;

it('is one call, for a token, whose id and arguments may be given', () => {
  const asked = readExchange(
    form(
      { locations: [AUDIENCE] },
      { mayfly_call_id: CALL, mayfly_arguments_sha256: 'ab', resource: AUDIENCE },
    ),
    catalogue,
  );

  expect(asked).toEqual({
    ...{ taskId: TASK, callId: CALL, tool: 'orders.api', dataset: 'orders', action: 'read' },
    ...{ credential: 'jwt', argumentsSha256: 'ab' },
  });
});

it('gets an id of its own where none is given', () => {
  const [one, other] = [readExchange(form(), catalogue), readExchange(form(), catalogue)];
  expect(one.callId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
  expect(one.callId).not.toBe(other.callId);
});

it.each([
  ['a place', { locations: ['https://evil.example'] }, {}],
  ['a resource', {}, { resource: 'https://evil.example' }],
  ['an audience', {}, { audience: `${AUDIENCE}/` }],
  [
    'a resource, of a target that takes no tokens',
    { tool: 'sql.query', dataset: 'crm.orders' },
    { resource: AUDIENCE },
  ],
])('%s must be the target’s', (_what, change, more) => {
  expect(() => readExchange(form(change, more), catalogue)).toThrow(
    refusal('invalid_target', 'ERR_TARGET_MISMATCH'),
  );
});

it('what nobody knows is left to the decision, which refuses it and says so', () => {
  expect(readExchange(form({ tool: 'no.such' }), catalogue)).toMatchObject({
    tool: 'no.such',
    credential: 'jwt',
  });
  expect(readExchange(form({ dataset: 'no.such' }), catalogue)).toMatchObject({ dataset: 'no.such' });
});

it.each(['', '{}', '[]', 'null', '[null]', '[[]]', '["x"]', '[{}, {}]', '{"0":{}}', '['.repeat(5_000)])(
  'details %p are none',
  (text) => {
    const given = new Map([['authorization_details', text]]);
    expect(() => readExchange(given, catalogue)).toThrow(
      refusal('invalid_authorization_details', 'ERR_DETAILS_INVALID'),
    );
  },
);

it.each([
  { tool: 7 },
  { dataset: null },
  { actions: [] },
  { actions: ['read', 'write'] },
  { actions: 'read' },
  { task: undefined },
  { privileges: ['admin'] },
  { locations: [AUDIENCE, AUDIENCE] },
  { locations: null },
])('a detail with %j is none', (change) => {
  expect(() => readExchange(form(change), catalogue)).toThrow();
});

it.each([
  [{}, 'unsupported_grant_type', 'ERR_GRANT_TYPE'],
  [{ grant_type: 'authorization_code' }, 'unsupported_grant_type', 'ERR_GRANT_TYPE'],
  [{ grant_type: TOKEN_EXCHANGE, scope: 'x' }, 'invalid_scope', 'ERR_SCOPE'],
  [
    { grant_type: TOKEN_EXCHANGE, requested_token_type: 'saml2' },
    'invalid_request',
    'ERR_REQUESTED_TOKEN_TYPE',
  ],
])('%j is %s', (given, error, code) => {
  expect(() => checkGrant(new Map(Object.entries(given)))).toThrow(refusal(error, code));
});
