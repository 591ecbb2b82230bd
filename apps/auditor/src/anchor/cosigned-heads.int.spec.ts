/** Whoever wants witnesses: what the log shows and exports carries what they have cosigned. */
import { parseTrust } from '#bundle/trust.js';
import { verifyBundle } from '#bundle/verify-bundle.js';
import { hasher } from '#merkle/node/hasher.js';
import { parseTrustPolicy } from '#merkle/node/keys.js';
import { verifyTlogProofUnder } from '#merkle/tlog-proof.js';
import { openCheckpointUnder } from '#merkle/trust-verdict.js';
import type { WitnessProcess } from '../../../../test/support/witness-process.js';
import { openAuditorHttp, type AuditorHttp } from '../../spec/auditor-http.js';
import { bundleOf } from '../../spec/exported.js';
import type { SignedLog } from '../../spec/signed-log.js';
import { never, signer, WitnessedLog } from '../../spec/witnessed-log.js';
import { OPERATOR, World } from '../../spec/world.js';

let witnessed: WitnessedLog;
let log: SignedLog;
let witness: WitnessProcess;
beforeEach(async () => {
  witnessed = await WitnessedLog.open();
  ({ log, witness } = witnessed);
});
afterEach(() => witnessed.close());
const north = () => witnessed.north();

describe('whoever wants witnesses', () => {
  let world: World;
  let http: AuditorHttp;
  beforeEach(async () => {
    world = await World.open();
    http = await openAuditorHttp(log.database.runtime, world);
  });
  afterEach(async () => {
    await http.close();
    await world.close();
  });
  const policy = () => `log ${signer.vkey}\nwitness north ${witness.vkey}\nquorum north\n`;
  async function ask(path: string, body?: object): Promise<{ status: number; bytes: Buffer }> {
    const headers = { authorization: `Bearer ${await world.svid(OPERATOR)}` };
    const request =
      body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
    const response = await fetch(`${http.url}${path}`, request);
    return { status: response.status, bytes: Buffer.from(await response.arrayBuffer()) };
  }
  const note = async (query = '') => (await ask(`/log/checkpoint${query}`)).bytes.toString();
  const verified = async (asked: object) =>
    verifyBundle(bundleOf((await ask('/v1/exports', asked)).bytes).files, parseTrust(policy()));

  it('believes no checkpoint and no bundle before a witness has seen the head, and each after it', async () => {
    const head = await log.grow(300);
    const trust = parseTrustPolicy(policy());
    const before = await note();
    expect(before).toBe(head.note);
    expect(() => openCheckpointUnder(trust, before)).toThrow(
      expect.objectContaining({ code: 'ERR_TRUST_QUORUM' }) as Error,
    );
    expect(await verified({})).toMatchObject({
      verdict: 'altered',
      findings: [{ code: 'ERR_TRUST_QUORUM' }],
    });

    await north().put(head, never);
    expect(openCheckpointUnder(trust, await note())).toMatchObject({
      quorum: true,
      checkpoint: { size: 300n },
    });
    expect(await verified({ from: 5, to: 290 })).toMatchObject({
      verdict: 'good',
      included: 285,
      checkpoint: { cosignedBy: ['north'] },
    });
  });

  it('gets the newest head that witnesses have seen, of a log that is further on', async () => {
    await north().put(await log.grow(300), never);
    await log.grow(7);
    const trust = parseTrustPolicy(policy());
    expect((await note()).split('\n')[1]).toBe('307');
    expect(openCheckpointUnder(trust, await note('?cosigned=1')).checkpoint.size).toBe(300n);
    expect(await verified({ cosigned: 1 })).toMatchObject({ verdict: 'good', to: 300 });

    const proof = (await ask('/v1/entries/42/proof?cosigned=1')).bytes.toString();
    const proven = verifyTlogProofUnder(hasher, proof, Buffer.from('{"true":42}'), trust);
    expect(proven).toMatchObject({ index: 42n, cosigned: [{ witness: { name: 'north' } }] });
  });

  it('gets each witness once, with what it said last', async () => {
    const head = await log.grow(3);
    await north().put(head, never);
    await log.database.runtime.pool.query(
      `INSERT INTO cosignature SELECT size, witness, cosigned_at_s - 60, '— older AAAAAAAA' FROM cosignature`,
    );
    expect(await note()).toMatch(
      /^audit\.example\/log\n3\n\S+\n\n— audit\S+ \S+\n— witness\.example\/north \S+\n$/,
    );
  });

  it.each([
    ['/log/checkpoint?cosigned=2', 503, 'ERR_NO_CHECKPOINT'],
    ['/log/checkpoint?cosigned=33', 400, 'ERR_PARAMETER_INVALID'],
    ['/log/checkpoint?cosigned=all', 400, 'ERR_PARAMETER_INVALID'],
    ['/v1/entries/0/proof?cosigned=2', 503, 'ERR_NO_CHECKPOINT'],
  ])('is told where there is none: %s', async (path, status, code) => {
    await north().put(await log.grow(3), never);
    const { status: said, bytes } = await ask(path);
    expect([said, JSON.parse(bytes.toString())]).toEqual([
      status,
      expect.objectContaining({ code }) as object,
    ]);
  });
});
