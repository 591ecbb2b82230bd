/** A create that lands when its lease is dead already: before it was made, after the cut, after the proof (protocol rules 4 and 7). */
import type { Plan } from '../provider.js';
import { itIf, needed, type Kit } from './kit.contract.js';

export function describeLateCreate(kit: Kit): void {
  const { features } = kit;
  /** What a create may have made that landed after the proof. */
  const expectHarmless = async (plan: Plan): Promise<void> => {
    if (features.findsLateCreate === true) expect(await kit.listed()).toContain(plan.principal);
    else expect((await kit.harness.revoker.observe(plan)).state).toBe('absent');
    await kit.endsForGood(plan);
  };

  describe('a late create', () => {
    itIf(features.refusesLateCreate)('is refused after a cut', async () => {
      const { broker, revoker } = kit.harness;
      const plan = kit.harness.plan();
      expect((await revoker.cut(plan)).observation.state).toBe('absent');
      expect(await broker.create(plan)).toEqual({ answer: 'refused', code: 'ERR_LEASE_FENCED' });
      await expectHarmless(plan);
    });

    itIf(features.findsLateCreate)('is found after a cut, and cut again', async () => {
      const { harness } = kit;
      const plan = harness.plan();
      await kit.cutProven(plan);
      const credential = await kit.created(plan);
      await expectHarmless(plan);
      await expect(harness.login(credential)).rejects.toThrow();
    });

    itIf(!features.refusesLateCreate && features.findsLateCreate !== true)(
      'is of no use after a cut',
      async () => {
        const { harness } = kit;
        const plan = harness.plan();
        await kit.cutProven(plan);
        await expect(harness.login(await kit.created(plan))).rejects.toThrow();
      },
    );

    itIf(features.refusesLateCreate && features.holdsCreate !== false)(
      'is refused where it was under way at the target',
      async () => {
        const { harness } = kit;
        const plan = harness.plan();
        const held = needed(await harness.holdCreate?.(plan), 'holdCreate');
        expect((await harness.revoker.cut(plan)).observation.state).toBe('absent');
        await held.release();
        expect((await held.answer).answer).not.toBe('created');
        await expectHarmless(plan);
      },
    );

    if (features.wired === true)
      it.each([
        ['', false],
        [', of a sender that is dead', true],
      ])('lands after the cut, the proof and the clean, and gives nobody access%s', async (_of, isDead) => {
        await kit.withWire(async ({ wire, broker }) => {
          const plan = kit.harness.plan();
          const held = wire.hold(plan.principal);
          const answer = broker.create(plan);
          await held.arrived;
          if (isDead) held.loseSender();
          await kit.endsForGood(plan);

          await held.release();

          const { answer: answered } = await answer;
          if (features.findsLateCreate !== true) expect(answered).not.toBe('created');
          await expectHarmless(plan);
        });
      });
  });
}
