/** Every request for a token that is refused, with OAuth's error and our code. */
import { v7 as uuidv7 } from 'uuid';
import { ISSUER, type World } from '../../../test/harness.js';
import type { Door, HttpWorld } from '../../../test/http-world.js';
import {
  claimsOf,
  detailFor,
  OAuthAgent,
  openOAuthWorld,
  ORDERS_AUDIENCE,
} from '../../../test/oauth-client.js';
import { ANALYST, PLANNER, STRANGER } from '../../../test/voices.js';

let http: HttpWorld;
let world: World;
let door: Door;
let agent: OAuthAgent;
let taskId: string;
beforeEach(async () => {
  ({ http, world, door, agent, taskId } = await openOAuthWorld());
});
afterEach(() => http.close());

describe('RFC 8693: a request is refused', () => {
  type Change = Record<string, string | undefined>;
  type Make = () => Change | Promise<Change>;
  const details = (change: object, task = taskId) => JSON.stringify([detailFor(task, { ...change })]);
  const requests: [what: string, error: string, code: string, make: Make][] = [
    [
      'for another grant',
      'unsupported_grant_type',
      'ERR_GRANT_TYPE',
      () => ({ grant_type: 'client_credentials' }),
    ],
    ['with a scope', 'invalid_scope', 'ERR_SCOPE', () => ({ scope: 'admin' })],
    [
      'for a refresh token',
      'invalid_request',
      'ERR_REQUESTED_TOKEN_TYPE',
      () => ({ requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' }),
    ],
    ['without a client', 'invalid_client', 'ERR_CLIENT_MISSING', () => ({ client_assertion: undefined })],
    [
      'with another kind of assertion',
      'invalid_client',
      'ERR_CLIENT_ASSERTION_TYPE',
      () => ({ client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer' }),
    ],
    [
      'of a client that says it is another',
      'invalid_client',
      'ERR_CLIENT_MISMATCH',
      () => ({ client_id: PLANNER }),
    ],
    [
      'with an assertion for the plain audience',
      'invalid_client',
      'ERR_SVID_INVALID',
      async () => ({ client_assertion: (await world.voices.newly(ANALYST, { audience: 'mayfly' })).svid }),
    ],
    [
      'with an assertion that is bound to a proof key',
      'invalid_client',
      'ERR_SVID_INVALID',
      async () => ({ client_assertion: (await world.voices.newly(ANALYST)).svid }),
    ],
    [
      'with an expired assertion',
      'invalid_client',
      'ERR_SVID_EXPIRED',
      async () => ({
        client_assertion: (
          await world.voices.newly(ANALYST, { audience: ISSUER, ttlS: 10, nowMs: Date.now() - 60_000 })
        ).svid,
      }),
    ],
    [
      'with an assertion of another trust domain',
      'invalid_client',
      'ERR_SVID_UNTRUSTED',
      () => ({ client_assertion: foreign(agent.speaker.svid) }),
    ],
    [
      'with a changed assertion',
      'invalid_client',
      'ERR_SVID_INVALID',
      () => ({ client_assertion: `${agent.speaker.svid.slice(0, -4)}AAAA` }),
    ],
    [
      'without a subject token',
      'invalid_request',
      'ERR_SUBJECT_TOKEN_MISSING',
      () => ({ subject_token: undefined }),
    ],
    [
      'with an access token as subject',
      'invalid_request',
      'ERR_SUBJECT_TOKEN_TYPE',
      async () => ({
        subject_token: String((await agent.exchange(taskId)).json['access_token']),
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      }),
    ],
    [
      'with an access token of ours that says it is an SVID',
      'invalid_request',
      'ERR_SVID_UNTRUSTED',
      async () => ({ subject_token: String((await agent.exchange(taskId)).json['access_token']) }),
    ],
    [
      'with a token for a tool as subject',
      'invalid_request',
      'ERR_SVID_INVALID',
      async () => ({
        subject_token: (await world.voices.newly(ANALYST, { audience: ORDERS_AUDIENCE })).svid,
      }),
    ],
    [
      'with a subject of another trust domain',
      'invalid_request',
      'ERR_SVID_UNTRUSTED',
      () => ({ subject_token: foreign(agent.speaker.svid) }),
    ],
    [
      'with somebody else as subject',
      'invalid_request',
      'ERR_SUBJECT_NOT_CLIENT',
      async () => ({ subject_token: (await world.voices.newly(PLANNER, { audience: ISSUER })).svid }),
    ],
    [
      'with an actor token',
      'invalid_request',
      'ERR_ACTOR_TOKEN',
      async () => ({
        actor_token: (await world.voices.newly(PLANNER, { audience: ISSUER })).svid,
        actor_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      }),
    ],
    [
      'without details',
      'invalid_authorization_details',
      'ERR_DETAILS_INVALID',
      () => ({ authorization_details: undefined }),
    ],
    [
      'with details that are no JSON',
      'invalid_authorization_details',
      'ERR_DETAILS_INVALID',
      () => ({ authorization_details: '[{' }),
    ],
    [
      'with two details',
      'invalid_authorization_details',
      'ERR_DETAILS_INVALID',
      () => ({ authorization_details: JSON.stringify([detailFor(taskId), detailFor(taskId)]) }),
    ],
    [
      'with a detail of another type',
      'invalid_authorization_details',
      'ERR_DETAILS_INVALID',
      () => ({ authorization_details: details({ type: 'payment_initiation' }) }),
    ],
    [
      'with a member that nobody knows',
      'invalid_authorization_details',
      'ERR_DETAILS_INVALID',
      () => ({ authorization_details: details({ limit: 10 }) }),
    ],
    [
      'for two actions',
      'invalid_authorization_details',
      'ERR_DETAILS_INVALID',
      () => ({ authorization_details: details({ actions: ['read', 'write'] }) }),
    ],
    [
      'for another place',
      'invalid_target',
      'ERR_TARGET_MISMATCH',
      () => ({ authorization_details: details({ locations: ['https://evil.example'] }) }),
    ],
    [
      'for another resource',
      'invalid_target',
      'ERR_TARGET_MISMATCH',
      () => ({ resource: 'https://evil.example' }),
    ],
    [
      'for another audience',
      'invalid_target',
      'ERR_TARGET_MISMATCH',
      () => ({ audience: 'https://evil.example' }),
    ],
    [
      'for a target that takes no tokens',
      'invalid_target',
      'ERR_KIND_UNSUPPORTED',
      () => ({ authorization_details: details({ tool: 'sql.query', dataset: 'crm.orders' }) }),
    ],
    [
      'for a tool nobody knows',
      'invalid_authorization_details',
      'ERR_TOOL_UNKNOWN',
      () => ({ authorization_details: details({ tool: 'no.such' }) }),
    ],
    [
      'for an action that policy forbids',
      'access_denied',
      'ERR_TOOL_FORBIDDEN',
      () => ({ authorization_details: details({ actions: ['write'] }) }),
    ],
    [
      'for a task nobody knows',
      'invalid_grant',
      'ERR_TASK_UNKNOWN',
      () => ({ authorization_details: details({}, uuidv7()) }),
    ],
    [
      'for a task id that is none',
      'invalid_authorization_details',
      'ERR_DATA_INVALID',
      () => ({ authorization_details: details({}, 'all') }),
    ],
    [
      'for a call id that is none',
      'invalid_authorization_details',
      'ERR_DATA_INVALID',
      () => ({ mayfly_call_id: 'mine' }),
    ],
    [
      'for a call id that was used',
      'invalid_request',
      'ERR_CALL_REUSED',
      async () => {
        const callId = uuidv7();
        await agent.exchange(taskId, { mayfly_call_id: callId });
        return { mayfly_call_id: callId };
      },
    ],
    [
      'with a digest that is none',
      'invalid_authorization_details',
      'ERR_DATA_INVALID',
      () => ({ mayfly_arguments_sha256: 'abc' }),
    ],
    [
      'for a task that has ended',
      'invalid_grant',
      'ERR_TASK_ENDED',
      async () => {
        await http.broker.hear(await world.voices.ends(taskId));
        return {};
      },
    ],
  ];
  it.each(requests)('%s: %s %s', async (_what, error, code, make) => {
    const change = await make();
    const leases = world.events(taskId, 'lease.intended').length;
    const reply = await agent.exchange(taskId, change);

    expect(reply).toMatchObject({
      status: error === 'invalid_client' ? 401 : 400,
      json: { error, mayfly_code: code },
    });
    expect(reply.json['access_token']).toBeUndefined();
    expect(Object.keys(reply.json).sort()).toEqual(['error', 'error_description', 'mayfly_code']);
    expect(world.events(taskId, 'lease.intended')).toHaveLength(leases);
  });

  it.each([STRANGER, PLANNER])('of %s, whom the task does not name', async (id) => {
    const other = await OAuthAgent.of(world, door, id);
    expect((await other.exchange(taskId)).json).toMatchObject({
      error: 'invalid_grant',
      mayfly_code: 'ERR_AGENT_NOT_NAMED',
    });
  });
});

/** The same token, as another trust domain would say it: nobody here knows its keys. */
function foreign(svid: string): string {
  const [header = '', , signature = ''] = svid.split('.');
  const claims = { ...claimsOf(svid), sub: 'spiffe://other.example/agent/analyst' };
  return [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
}
