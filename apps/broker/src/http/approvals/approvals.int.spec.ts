/** Approvals over HTTP: the agent that waits, the people who answer, and those who may not. */
import { v7 as uuidv7 } from 'uuid';
import type { World } from '../../../test/harness.js';
import { answered, HttpWorld, type Caller, type Door } from '../../../test/http-world.js';
import { ANALYST, called } from '../../../test/voices.js';

const OLGA = 'user:olga@corp.example';
const PAVEL = 'user:pavel@corp.example';
const NADIA = 'user:nadia@corp.example';
const MARIA = 'user:maria@corp.example';
const WRITES = { tool: 'sql.query', dataset: 'crm.orders', actions: ['write'] };

let http: HttpWorld;
let world: World;
let agent: Caller;
let door: Door;
beforeEach(async () => {
  http = await HttpWorld.open();
  ({ world } = http);
  agent = await http.caller();
  door = await http.door(http.broker, { isPrivate: () => true });
});
afterEach(() => http.close());

async function send(method: 'GET' | 'POST', path: string, token: string | null, body?: unknown) {
  const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  return await answered(await fetch(`${door.url}/v1/approvals${path}`, { method, headers, ...sent }));
}
const as = async (person: string, method: 'GET' | 'POST', path: string, body?: unknown) =>
  send(method, path, await world.login(person), body);

/** A call that waits, and what its agent was told. */
async function waiting() {
  const taskId = await http.startedTask({ declared: [WRITES] });
  const call = called(taskId, { action: 'write' });
  const record = await world.voices.says(ANALYST, 'tool.called', call);
  const told = await agent.call(record);
  const [requested] = await world.hears(taskId, 'approval.requested');
  return { call, record, told, ...requested! };
}

describe('the agent of a call that needs people', () => {
  it('is told at once, with a handle that is no credential', async () => {
    const { told, taskId, callId, approvalId, callDigest, expiresAt } = await waiting();

    expect(told).toMatchObject({
      status: 202,
      json: {
        ...{ decision: false, code: 'ERR_APPROVAL_REQUIRED', taskId, callId, approval: approvalId },
        context: {
          access_request: {
            ...{ id: approvalId, state: 'pending', endpoint: `/v1/tasks/${taskId}/calls` },
            ...{ expires_at: expiresAt, binding_token: callDigest },
          },
        },
      },
    });
    expect(told.headers.get('retry-after')).toBe('2');
  });

  it('asks again with the same call, and gets the credential once it was granted', async () => {
    const { taskId, call, record, approvalId, callDigest } = await waiting();
    expect((await agent.call(record)).status).toBe(202);
    await as(OLGA, 'POST', `/${approvalId}/grant`, { callDigest });
    await world.hears(taskId, 'lease.issued');
    const got = await agent.call(await world.voices.says(ANALYST, 'tool.called', call));

    expect(got).toMatchObject({ status: 200, type: 'application/jose' });
    expect(world.target.creates).toHaveLength(1);
  });

  it('asks again, and hears that it was refused', async () => {
    const { record, approvalId } = await waiting();
    await as(OLGA, 'POST', `/${approvalId}/refuse`, { reason: 'not today' });

    expect(await agent.call(record)).toMatchObject({ status: 403, json: { code: 'ERR_APPROVAL_REFUSED' } });
  });
});

describe('people', () => {
  it('see what waits, and what their word would be bound to', async () => {
    const { approvalId, callDigest, taskId } = await waiting();
    const page = await as(OLGA, 'GET', '?state=open&limit=1');
    const one = await as(NADIA, 'GET', `/${approvalId}`);

    expect(page.json).toMatchObject({ approvals: [{ approvalId, callDigest }], next: approvalId });
    expect(one).toMatchObject({
      status: 200,
      json: {
        ...{ approvalId, taskId, callDigest, state: 'open', needed: 1, grants: [], agent: ANALYST },
        binds: { what: 'these_rights', rights: ['pol_crm_orders_write'], seconds: 900 },
      },
    });
    expect((await as(OLGA, 'GET', `?after=${approvalId}`)).json).toEqual({ approvals: [] });
  });

  it('grant, and a withdrawal takes it back', async () => {
    const { approvalId, callDigest, taskId } = await waiting();
    const granted = await as(OLGA, 'POST', `/${approvalId}/grant`, { callDigest, reason: 'seen with Maria' });
    await world.hears(taskId, 'lease.issued');
    const withdrawn = await as(OLGA, 'POST', `/${approvalId}/withdraw`);

    expect(granted).toMatchObject({ status: 200, json: { state: 'consumed', grants: [OLGA] } });
    expect(withdrawn).toMatchObject({ status: 200, json: { state: 'withdrawn' } });
    expect(await world.hears(taskId, 'approval.withdrawn')).toHaveLength(1);
  });

  it('break the glass, which everybody sees', async () => {
    const { approvalId, callDigest, taskId } = await waiting();
    const breakGlass = { reason: 'the warehouse is on fire' };
    const broken = await as(NADIA, 'POST', `/${approvalId}/grant`, { callDigest, breakGlass });

    expect(broken).toMatchObject({ status: 200, json: { state: 'consumed', brokenGlass: true } });
    expect(await world.hears(taskId, 'break_glass.used')).toMatchObject([{ by: NADIA, ...breakGlass }]);
    expect(await world.hears(taskId, 'approval.consumed')).toMatchObject([
      { approvers: [NADIA, 'mayfly:break-glass'] },
    ]);
  });
});

describe('whoever may not', () => {
  it.each([
    ['a stranger', 'user:eve@corp.example', 403, 'ERR_NOT_ENTITLED'],
    ['an operator', NADIA, 403, 'ERR_NOT_ENTITLED'],
    ['the person for whom the task runs', MARIA, 403, 'ERR_NOT_ENTITLED'],
  ])('does not grant: %s', async (_who, person, status, code) => {
    const { approvalId, callDigest, taskId } = await waiting();

    expect(await as(person, 'POST', `/${approvalId}/grant`, { callDigest })).toMatchObject({
      status,
      json: { code },
    });
    expect(await world.hears(taskId, 'approval.answer_rejected')).toMatchObject([{ by: person, code }]);
  });

  it.each([
    ['another digest', () => ({ callDigest: 'sha256:other' }), 409, 'ERR_APPROVAL_MISMATCH'],
    ['no digest', () => ({}), 422, 'ERR_PARAMETER_INVALID'],
    ['what is no JSON', () => '{', 422, 'ERR_PARAMETER_INVALID'],
    [
      'what it does not know',
      (callDigest: string) => ({ callDigest, force: true }),
      422,
      'ERR_PARAMETER_INVALID',
    ],
  ])('is told of %s', async (_what, body, status, code) => {
    const { approvalId, callDigest } = await waiting();

    expect(await as(OLGA, 'POST', `/${approvalId}/grant`, body(callDigest))).toMatchObject({
      status,
      json: { code },
    });
    expect(world.target.creates).toEqual([]);
  });

  it('hears that an approval is over, or is not there', async () => {
    const { approvalId, callDigest } = await waiting();
    await as(OLGA, 'POST', `/${approvalId}/refuse`);

    expect((await as(PAVEL, 'POST', `/${approvalId}/grant`, { callDigest })).json.code).toBe(
      'ERR_APPROVAL_DECIDED',
    );
    expect((await as(PAVEL, 'POST', `/${uuidv7()}/grant`, { callDigest })).json.code).toBe(
      'ERR_APPROVAL_UNKNOWN',
    );
    expect((await as(OLGA, 'GET', `/${uuidv7()}`)).status).toBe(404);
    expect((await as(OLGA, 'GET', '?limit=1000')).json.code).toBe('ERR_PARAMETER_INVALID');
  });

  it('sees nothing without a role', async () => {
    const { approvalId } = await waiting();

    expect((await as('user:eve@corp.example', 'GET', '')).status).toBe(403);
    expect((await as(MARIA, 'GET', `/${approvalId}`)).json.code).toBe('ERR_NOT_ENTITLED');
  });

  it('is not believed without a good token, or over a way that others read', async () => {
    const { approvalId } = await waiting();
    const old = await world.login(OLGA, { nowMs: Date.now() - 600_000 });
    const refused = async (token: string | null) => (await send('GET', `/${approvalId}`, token)).json.code;

    expect(await refused(null)).toBe('ERR_BEARER_MISSING');
    expect(await refused('a.b.c')).toBe('ERR_SVID_INVALID');
    expect(await refused(old)).toBe('ERR_SVID_EXPIRED');
    door = await http.door(http.broker, { isPrivate: () => false });
    expect(await refused(await world.login(OLGA))).toBe('ERR_TLS_REQUIRED');
  });

  it('is a service: it may look, and not answer', async () => {
    const { approvalId, callDigest } = await waiting();
    const token = await world.svid('spiffe://dev.mayfly/operator/approver', 'mayfly', 300);

    expect((await send('GET', `/${approvalId}`, token)).status).toBe(200);
    expect((await send('POST', `/${approvalId}/grant`, token, { callDigest })).json.code).toBe(
      'ERR_NOT_ENTITLED',
    );
    const long = await world.svid('spiffe://dev.mayfly/operator/approver', 'mayfly', 3_600);
    expect((await send('GET', `/${approvalId}`, long)).json.code).toBe('ERR_SVID_INVALID');
  });
});
