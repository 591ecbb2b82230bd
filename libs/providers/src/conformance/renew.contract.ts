/** Renew: moves an end, and brings nothing back (protocol rule 8). */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credential, Plan } from '../provider.js';
import { expectNoAccess, itIf, type Kit } from './kit.contract.js';

const soon = () => new Date(Date.now() + 1_000).toISOString();
const later = () => new Date(Date.now() + 60_000).toISOString();
const FIRST_END_IS_OVER_MS = 1_100;

export function describeRenew(kit: Kit): void {
  const { features } = kit;
  const renewed = async (plan: Plan, credential: Credential, notAfter = later()): Promise<Credential> => {
    const answer = await kit.harness.broker.renew(plan, notAfter);
    if (answer.answer !== 'renewed') throw new Error(`not renewed: ${answer.code}`);
    return answer.credential ?? credential;
  };

  describe('renew', () => {
    it('lets what was lent be used past its first end, with the same rights and no others', async () => {
      const { harness } = kit;
      const plan = harness.plan({ notAfter: soon() });
      // In time, however long the create took.
      const credential = await renewed({ ...plan, notAfter: later() }, await kit.created(plan));
      await sleep(FIRST_END_IS_OVER_MS);
      expect(harness.principalIn(credential)).toBe(plan.principal);
      await kit.withSession(credential, async (session) => {
        await expect(session.use()).resolves.toBeDefined();
        await expect(session.overreach()).rejects.toThrow();
      });
    });

    it('may be repeated, and twice at once', async () => {
      const plan = kit.harness.plan();
      const credential = await kit.created(plan);
      const notAfter = new Date(Date.now() + 180_000).toISOString();
      await Promise.all([renewed(plan, credential, notAfter), renewed(plan, credential, notAfter)]);
      const last = await renewed(plan, credential, notAfter);
      await kit.withSession(last, async (session) => void (await session.use()));
    });

    it('is cut like what was not renewed', async () => {
      const { harness } = kit;
      const plan = harness.plan();
      const credential = await renewed(plan, await kit.created(plan));
      expectNoAccess((await harness.revoker.cut(plan)).observation);
      await expect(harness.login(credential)).rejects.toThrow();
    });

    it('brings nothing back after a cut, nor after a clean', async () => {
      const { harness } = kit;
      const { broker, revoker } = harness;
      const plan = harness.plan();
      const credential = await kit.created(plan);
      await revoker.cut(plan);
      for (const clean of [false, true]) {
        if (clean) await revoker.clean(plan);
        const answer = await broker.renew(plan, later());
        if (features.refusesLateCreate)
          expect(answer).toEqual({ answer: 'refused', code: 'ERR_LEASE_FENCED' });
        const got = answer.answer === 'renewed' ? (answer.credential ?? credential) : credential;
        await expect(harness.login(got)).rejects.toThrow();
        expect((await revoker.observe(plan)).state).not.toBe('live');
      }
    });

    it('is refused once the lease is over', async () => {
      const plan = kit.harness.plan();
      await kit.created(plan);
      const over = { ...plan, notAfter: new Date(Date.now() - 1).toISOString() };
      expect(await kit.harness.broker.renew(over, later())).toEqual({
        answer: 'refused',
        code: 'ERR_RENEWAL_TOO_LATE',
      });
    });

    it('is refused past the hard end, and past what the target allows', async () => {
      const { broker } = kit.harness;
      const plan = kit.harness.plan();
      await kit.created(plan);
      const refused = { answer: 'refused', code: 'ERR_PLAN_INVALID' };
      const pastHardEnd = new Date(Date.parse(plan.hardEnd) + 1).toISOString();
      expect(await broker.renew(plan, pastHardEnd)).toEqual(refused);
      const day = { ...plan, hardEnd: new Date(Date.now() + 86_400_000).toISOString() };
      expect(await broker.renew(day, day.hardEnd)).toEqual(refused);
      expect(await broker.renew(plan, "2026-01-01' --")).toEqual(refused);
    });

    itIf(features.knowsPrincipals)('makes nothing where nothing is', async () => {
      const plan = kit.harness.plan();
      expect(await kit.harness.broker.renew(plan, later())).toEqual({
        answer: 'refused',
        code: 'ERR_LEASE_FENCED',
      });
      await kit.nothingThere(plan);
    });

    itIf(features.asksServer)('answers none where nothing answers', async () => {
      const answer = await kit.harness.unreachable.renew(kit.harness.plan(), later());
      expect(answer).toEqual({ answer: 'none', code: 'ERR_TARGET_UNREACHABLE' });
    });
  });
}
