/** Clean: drops what a cut left, and leaves the fence. */
import { itIf, type Kit } from './kit.contract.js';

export function describeClean(kit: Kit): void {
  const { features } = kit;
  describe('clean', () => {
    it('removes what was cut, and may be repeated', async () => {
      const { revoker } = kit.harness;
      const plan = kit.harness.plan();
      await kit.created(plan);
      await revoker.cut(plan);
      expect(await revoker.clean(plan)).toMatchObject({ state: 'absent', sessions: 0 });
      expect(await revoker.clean(plan)).toMatchObject({ state: 'absent', sessions: 0 });
    });

    itIf(features.findsLateCreate !== true)(
      'keeps the fence: the lease cannot be created again',
      async () => {
        const { broker, revoker } = kit.harness;
        const plan = kit.harness.plan();
        await kit.created(plan);
        await revoker.cut(plan);
        await revoker.clean(plan);
        const again = await broker.create(plan);
        expect(again.answer).toBe('refused');
        if (features.refusesLateCreate) expect(again).toHaveProperty('code', 'ERR_LEASE_FENCED');
      },
    );

    it('does not remove what was not cut', async () => {
      const { revoker } = kit.harness;
      const plan = kit.harness.plan();
      await kit.created(plan);
      await expect(revoker.clean(plan)).rejects.toMatchObject({ code: 'ERR_TARGET_REFUSED' });
      expect((await revoker.observe(plan)).state).toBe('live');
    });
  });
}
