/** A target that restarts, and one that is put back to an old backup: nothing that was cut has access for good. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Observation, Plan } from '../provider.js';
import { expectNoAccess, itIf, needed, type Kit } from './kit.contract.js';

const ENOUGH_TRIES = 1_500;
/** Servers start on machines that others use. */
const STARTS_WITHIN_MS = 180_000;

export function describeRestart(kit: Kit): void {
  const { features } = kit;
  const keeps = features.restart === 'keeps';
  const restarted = () => needed(kit.harness.restart, 'restart')();
  /** Connections of before are dead, and an adapter may meet them first. */
  const seen = async (plan: Plan): Promise<Observation> => {
    for (let tries = 1; ; tries += 1) {
      const observation = await kit.harness.revoker.observe(plan);
      if (observation.state !== 'unknown' || tries === ENOUGH_TRIES) return observation;
      await sleep(20);
    }
  };

  const itRestarts = itIf(features.restart !== undefined);
  describe('a target that restarts', () => {
    itRestarts(
      'is known by another incarnation, and what lived is cut',
      async () => {
        const plan = kit.harness.plan();
        const credential = await kit.created(plan);
        const before = await kit.harness.revoker.observe(plan);
        await restarted();
        const after = await seen(plan);
        expect(after.incarnation).not.toBe(before.incarnation);
        expect(after.state).toBe(keeps ? 'live' : 'absent');
        await kit.endsForGood(plan);
        await expect(kit.harness.login(credential)).rejects.toThrow();
      },
      STARTS_WITHIN_MS,
    );

    itRestarts(
      'in the middle of a cut gives nobody access',
      async () => {
        const plan = kit.harness.plan();
        const credential = await kit.created(plan);
        const cut = kit.harness.revoker.cut(plan).catch(() => undefined);
        await restarted();
        await cut;
        await seen(plan);
        await kit.endsForGood(plan);
        await expect(kit.harness.login(credential)).rejects.toThrow();
      },
      STARTS_WITHIN_MS,
    );

    itIf(keeps && features.refusesLateCreate)(
      'has not forgotten what was cut',
      async () => {
        const plan = kit.harness.plan();
        await kit.cutProven(plan);
        await restarted();
        await seen(plan);
        expect(await kit.harness.broker.create(plan)).toEqual({
          answer: 'refused',
          code: 'ERR_LEASE_FENCED',
        });
        await kit.nothingThere(plan);
      },
      STARTS_WITHIN_MS,
    );
  });

  itIf(features.restores)(
    'finds in an old backup what was cut since, by another incarnation, and cuts it again',
    async () => {
      const { harness } = kit;
      const plan = harness.plan();
      const credential = await kit.created(plan);
      const restore = await needed(harness.backUp, 'backUp')();
      await seen(plan);
      const { observation } = await harness.revoker.cut(plan);
      expectNoAccess(observation);
      expect(await harness.revoker.clean(plan)).toMatchObject({ state: 'absent' });

      await restore();

      const revived = await seen(plan);
      expect(revived.state).toBe('live');
      expect(revived.incarnation).not.toBe(observation.incarnation);
      expect(await kit.listed()).toContain(plan.principal);
      await kit.endsForGood(plan);
      await expect(harness.login(credential)).rejects.toThrow();
    },
    STARTS_WITHIN_MS,
  );
}
