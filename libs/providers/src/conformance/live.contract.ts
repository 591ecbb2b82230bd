/** Many leases that live at once: all are listed, and all that end together are proven, whatever the others do. */
import { expectNoAccess, type Kit } from './kit.contract.js';

const WITHIN_MS = 900_000;

export function describeLive(kit: Kit): void {
  const { features, scale } = kit;
  it(
    `holds ${scale.live} leases at once, and lets them end together`,
    async () => {
      const { broker, revoker } = kit.harness;
      const plans = Array.from({ length: scale.live }, () => kit.harness.plan());
      const answers = await Promise.all(plans.map((plan) => broker.create(plan)));
      expect(answers.filter(({ answer }) => answer !== 'created')).toEqual([]);
      const principals = plans.map(({ principal }) => principal);
      const missing = async () => {
        const listed = new Set(await kit.listed());
        return principals.filter((principal) => !listed.has(principal));
      };
      if (features.knowsPrincipals) expect(await missing()).toEqual([]);

      const reports = await Promise.all(plans.map((plan) => revoker.cut(plan)));
      for (const { observation, emptyObservations } of reports) {
        expectNoAccess(observation);
        expect(emptyObservations).toBeGreaterThanOrEqual(2);
      }
      const cleaned = await Promise.all(plans.map((plan) => revoker.clean(plan)));
      expect(cleaned.filter(({ state }) => state !== 'absent')).toEqual([]);
      expect(await missing()).toHaveLength(scale.live);
    },
    WITHIN_MS,
  );
}
