/** Observe and list: what is there, and that it could not be seen where it could not. */
import { expectNoAccess, itIf, type Kit } from './kit.contract.js';

export function describeObserve(kit: Kit): void {
  const { features } = kit;
  describe('observe', () => {
    it('sees a principal come, work and go', async () => {
      const { revoker } = kit.harness;
      const plan = kit.harness.plan();
      await kit.nothingThere(plan);
      await kit.withSession(await kit.created(plan), async () => {
        const sessions = features.keepsSessions ? 1 : 0;
        expect(await revoker.observe(plan)).toMatchObject({ state: 'live', sessions });
      });
      const { observation } = await revoker.cut(plan);
      const seen = await revoker.observe(plan);
      expectNoAccess(seen);
      expect(seen.incarnation).toBe(observation.incarnation);
    });

    it('says unknown where nothing answers', async () => {
      const { harness } = kit;
      expect(await harness.unreachable.observe(harness.plan())).toMatchObject({
        state: 'unknown',
        sessions: null,
      });
    });
  });

  itIf(features.knowsPrincipals)('lists its principals with their leases', async () => {
    const { harness } = kit;
    const [first, second] = [harness.plan(), harness.plan()];
    await kit.created(first);
    await kit.created(second);
    const listed = new Map<string, string>();
    for await (const { principal, leaseId } of harness.revoker.list()) listed.set(principal, leaseId);
    expect(listed.get(first.principal)).toBe(first.leaseId);
    expect(listed.get(second.principal)).toBe(second.leaseId);
  });

  it('says of itself what it is held to', () => {
    for (const { fencing, capabilities } of [kit.harness.broker, kit.harness.revoker]) {
      expect(capabilities.list).toBe(features.knowsPrincipals);
      expect(capabilities.cut === 'ends_sessions').toBe(features.keepsSessions);
      expect(fencing === 'fenced').toBe(features.findsLateCreate !== true);
      expect(capabilities.ttl.minMs).toBeLessThan(capabilities.ttl.maxMs);
    }
  });
}
