/** Cut: what is open ends, what tries to come back does not, and a proof is an observation made afterwards (protocol rule 7). */
import { expectNoAccess, type Kit } from './kit.contract.js';
import { reconnectTrials } from './reconnecting.contract.js';

const TRIALS_WITHIN_MS = 900_000;

export function describeCut(kit: Kit): void {
  const { features, scale } = kit;
  describe('cut', () => {
    it('takes the login away from what another login created', async () => {
      const plan = kit.harness.plan();
      const credential = await kit.created(plan);
      await kit.cutProven(plan);
      await expect(kit.harness.login(credential)).rejects.toThrow();
    });

    it('ends an open session', async () => {
      const plan = kit.harness.plan();
      await kit.withSession(await kit.created(plan), async (session) => {
        await session.use();
        const report = await kit.harness.revoker.cut(plan);
        const sessionsEnded = features.keepsSessions ? 1 : 0;
        expect(report).toMatchObject({ sessionsEnded, observation: { sessions: 0 } });
        await expect(session.use()).rejects.toThrow();
      });
    });

    it(
      'cannot be outrun by a client that reconnects in a loop',
      async () => {
        const { trials, survivors, unproven } = await reconnectTrials(kit.harness, scale);
        expect({ trials, survivors, unproven }).toEqual({ trials: scale.trials, survivors: 0, unproven: 0 });
      },
      TRIALS_WITHIN_MS,
    );

    it('can be repeated, and run twice at once', async () => {
      const { revoker } = kit.harness;
      const plan = kit.harness.plan();
      await kit.created(plan);
      const reports = await Promise.all([revoker.cut(plan), revoker.cut(plan)]);
      reports.push(await revoker.cut(plan));
      for (const { observation, emptyObservations } of reports) {
        expectNoAccess(observation);
        expect(emptyObservations).toBeGreaterThanOrEqual(2);
      }
    });

    it('rejects where nothing answers', async () => {
      await expect(kit.harness.unreachable.cut(kit.harness.plan())).rejects.toMatchObject({
        name: 'ProviderError',
        code: 'ERR_TARGET_UNREACHABLE',
      });
    });
  });
}
