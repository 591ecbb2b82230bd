/** A renewal at a real PostgreSQL, from the agent's word to its next login. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { openEnvelope } from '#agent/open-envelope.js';
import { CREDENTIAL_DELIVERED } from '#events/outbound.js';
import type { CredentialProvider, PostgresCredential } from '#providers/provider.js';
import { openSampleTarget, type SampleTarget } from '#providers/postgres/sample-target.contract.js';
import { World, type BrokerProcess } from '../test/harness.js';
import { ANALYST, called, sealKey } from '../test/voices.js';

/** The server's own end comes so much later than the lease's. */
const LAG_MS = 5_000;
let target: SampleTarget;
let world: World;
let broker: BrokerProcess;
beforeAll(async () => {
  target = await openSampleTarget('bkn');
});
afterAll(() => target.close());
beforeEach(async () => {
  world = await World.open();
  broker = await world.start();
  (broker.parts.providers as Map<string, CredentialProvider>).set('shop', target.broker);
});
afterEach(() => world.close());

async function lent(
  taskId: string,
  ttlMs: number,
): Promise<PostgresCredential & { leaseId: string; notAfter: string }> {
  const call = called(taskId, { ttlMs });
  await broker.hear(await world.voices.starts(taskId), await world.voices.says(ANALYST, 'tool.called', call));
  const [envelope] = await world.delivers(taskId, CREDENTIAL_DELIVERED);
  const opened = await openEnvelope(envelope?.jwe ?? '', sealKey, { ...call, agent: ANALYST });
  if (opened.kind !== 'postgres') throw new Error('another kind was lent');
  return opened;
}
const until = (ms: number) => sleep(Math.max(0, ms - Date.now()));

it('a renewed user logs in past its first end; one that is refused after the end of its task does not', async () => {
  const [taskId, ended] = [uuidv7(), uuidv7()];
  const [kept, lost] = [await lent(taskId, 20_000), await lent(ended, 20_000)];
  await broker.hear(await world.voices.ends(ended));
  await broker.hear(
    await world.voices.renews(taskId, kept.leaseId, 120_000),
    await world.voices.renews(ended, lost.leaseId, 120_000),
  );
  await world.hears(taskId, 'lease.renewed');
  expect(await world.hears(ended, 'lease.renewal_refused')).toMatchObject([{ code: 'ERR_TASK_ENDED' }]);

  await until(Date.parse(lost.notAfter) + LAG_MS + 200);

  const session = await target.session(kept);
  expect((await session.query('SELECT count(*)::int AS n FROM crm.orders')).rows).toEqual([{ n: 6000 }]);
  // No revoker runs here: the server itself keeps it out.
  await expect(target.session(lost)).rejects.toMatchObject({ code: '28P01' });
}, 180_000);

it('a renewal that meets the cut is refused, and the user stays out', async () => {
  const taskId = uuidv7();
  const credential = await lent(taskId, 60_000);
  const [intended] = world.events(taskId, 'lease.intended');
  await target.revoker.cut(intended!);
  await broker.hear(await world.voices.renews(taskId, credential.leaseId, 120_000));

  expect(await world.hears(taskId, 'lease.renewal_refused')).toMatchObject([{ code: 'ERR_LEASE_ENDED' }]);
  await expect(target.session(credential)).rejects.toThrow();
});
