/** A token that is renewed: another one, of the same lease and for the same, with a later end. */
import { decodeJwt } from 'jose';
import { v7 as uuidv7 } from 'uuid';
import { openEnvelope, type OpenedJwt } from '#agent/open-envelope.js';
import type { ToolCalled } from '#events/inbound.js';
import { CREDENTIAL_DELIVERED } from '#events/outbound.js';
import type { World } from '../../test/harness.js';
import { HttpWorld } from '../../test/http-world.js';
import { ANALYST, called, sealKey } from '../../test/voices.js';

const MINUTE = 60_000;
const declared = [{ tool: 'orders.api', dataset: 'orders', actions: ['read'] }];
let http: HttpWorld;
let world: World;
let call: ToolCalled;
beforeEach(async () => {
  http = await HttpWorld.open({});
  ({ world } = http);
  const taskId = await http.startedTask({ declared });
  call = called(taskId, {
    tool: 'orders.api',
    dataset: 'orders',
    ttlMs: MINUTE,
    argumentsSha256: 'cd'.repeat(32),
  });
});
afterEach(() => http.close());

async function opened(envelope: string): Promise<OpenedJwt> {
  const credential = await openEnvelope(envelope, sealKey, { ...call, agent: ANALYST });
  if (credential.kind !== 'jwt') throw new Error('no token came');
  return credential;
}
/** What a token says, but for the times. */
function claimsOf(token: OpenedJwt) {
  const { iat, exp, ...rest } = decodeJwt(token.token.reveal());
  return { iat, exp, rest };
}

it('says the same until later, and comes sealed like the first, on the bus', async () => {
  await http.broker.hear(await world.voices.says(ANALYST, 'tool.called', call));
  const [first] = await world.delivers(call.taskId, CREDENTIAL_DELIVERED);
  const old = await opened(first?.jwe ?? '');
  await http.broker.hear(await world.voices.renews(call.taskId, old.leaseId, 3 * MINUTE));

  const [, second] = await world.delivers(call.taskId, CREDENTIAL_DELIVERED, 2);
  const renewed = await opened(second?.jwe ?? '');
  const [event] = world.events(call.taskId, 'lease.renewed');
  expect(renewed).toMatchObject({ leaseId: old.leaseId, notAfter: event?.notAfter, dpop: true });
  expect(claimsOf(renewed).rest).toEqual(claimsOf(old).rest);
  expect(claimsOf(renewed).exp).toBe(Math.floor(Date.parse(event?.notAfter ?? '') / 1_000));
  expect(claimsOf(renewed).exp).toBeGreaterThan(claimsOf(old).exp ?? 0);
  expect(JSON.stringify(world.events(call.taskId, 'lease.renewed'))).not.toContain('eyJ');
});

it('over HTTP is in the reply, and the same call asked again gets the last token', async () => {
  const caller = await http.caller();
  const request = () => world.voices.says(ANALYST, 'tool.called', call);
  const old = await opened((await caller.call(await request())).text);
  const reply = await caller.renew(
    await world.voices.renews(call.taskId, old.leaseId, 3 * MINUTE),
    old.leaseId,
  );

  const { envelope, notAfter } = reply.json as { envelope: string; notAfter: string };
  expect(await opened(envelope)).toMatchObject({ leaseId: old.leaseId, notAfter });
  expect((await caller.call(await request())).text).toBe(envelope);
});

it('is not made for a lease that the revoker goes for', async () => {
  await http.broker.hear(await world.voices.says(ANALYST, 'tool.called', call));
  const [issued] = await world.hears(call.taskId, 'lease.issued');
  const { leaseId = uuidv7() } = issued ?? {};
  await http.broker.hearRevoker(world.voices.revokes(call.taskId, leaseId, 'operator'));
  await http.broker.hear(await world.voices.renews(call.taskId, leaseId));

  await world.hears(call.taskId, 'lease.renewal_refused');
  await world.quiet();
  const delivered = world.delivered(call.taskId).filter(({ type }) => type === CREDENTIAL_DELIVERED);
  expect(delivered).toHaveLength(1);
});
