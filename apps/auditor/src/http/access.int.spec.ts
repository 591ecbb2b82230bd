import { Audited } from '../../spec/audited.js';
import { ingesting } from '../../spec/ingesting.js';
import { ANALYST, CALL, common, LEASE } from '../../spec/world.js';
import { signHead } from '../signer/sign-head.js';
import type { AccessPage } from './api-schemas.js';

/** Issued at second 1 for nine seconds, renewed at second 8 for ten more. */
const beganMs = Date.now() - 60_000;
const at = (second: number) => new Date(beganMs + second * 1_000).toISOString();
const its = { ...common, leaseId: LEASE, callId: CALL, agent: ANALYST };

let audited: Audited;
const wrote = (service: 'broker' | 'revoker', type: string, data: object) =>
  audited.world.wrote(service, type, { ...its, ...data });
const ask = (second: number) => audited.json<AccessPage>(`/v1/access?at=${at(second)}`);
const untilAt = async (second: number) => (await ask(second)).held.map(({ until }) => until);

beforeEach(async () => {
  audited = await Audited.open();
  await audited.append(
    wrote('broker', 'call.decided', { decision: 'permit', tool: 'sql.query', action: 'read', at: at(0) }),
    wrote('broker', 'lease.issued', { notAfter: at(10), at: at(1) }),
    wrote('broker', 'lease.renewed', { notAfter: at(20), renewals: 1, at: at(8) }),
  );
});
afterEach(() => audited.close());

it('lasts as renewals up to the instant say', async () => {
  expect(await untilAt(7)).toEqual([at(10)]);
  expect(await untilAt(9)).toEqual([at(20)]);
  expect(await untilAt(19)).toEqual([at(20)]);
  expect(await untilAt(20)).toEqual([]);
});

it('is told as far as the log is projected, and not as it is signed', async () => {
  const before = await ask(9);
  await ingesting(audited.log.runtime, audited.world).onBatch([
    wrote('revoker', 'lease.access_cut', { cause: 'operator', cutAt: at(5), at: at(5) }),
  ]);
  await signHead(audited.log.signer, [audited.signer], 3_600_000);
  expect(await ask(9)).toEqual(before);
  expect(before.as_of.size).toBe(3);

  await audited.sign();
  expect(await ask(9)).toMatchObject({ held: [], as_of: { size: 4 } });
});

it('is told by nobody before the first head was signed', async () => {
  const empty = await Audited.open();
  try {
    for (const path of ['/v1/access', '/v1/evidence/agents'])
      expect(await empty.get(path)).toMatchObject({
        status: 503,
        text: expect.stringContaining('"ERR_NO_CHECKPOINT"') as string,
      });
  } finally {
    await empty.close();
  }
});
