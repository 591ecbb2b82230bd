/** A target is fit to be lent from by the accounts that the provider's page tells an administrator to make. */
import { inspectTarget } from '../inspect-target.js';
import type { TargetFinding } from '../target-finding.js';
import { targetSettings } from '../target-settings.js';
import type { Process } from './harness.contract.js';
import type { Kit } from './kit.contract.js';

export function describeInspect(kit: Kit): void {
  if (kit.features.wired !== true) return;
  describe('inspect', () => {
    const amiss = async (process: Process, port: number): Promise<TargetFinding[]> => {
      const target = targetSettings.parse(kit.wiredTarget.settings(process, port));
      const findings = await inspectTarget(target, process, []);
      // A harness may log in as somebody who may do everything.
      return findings.filter(({ code }) => code !== 'ERR_TARGET_RIGHT_TOO_MUCH');
    };

    it.each<Process>(['broker', 'revoker'])("finds nothing amiss by the %s's account", (process) =>
      kit.withWire(async ({ wire }) => {
        expect(await amiss(process, wire.port)).toEqual([]);
      }),
    );

    it.each<Process>(['broker', 'revoker'])('finds that the %s is answered by nobody', (process) =>
      kit.withWire(async ({ wire }) => {
        wire.down(true);
        expect(await amiss(process, wire.port)).toMatchObject([{ code: 'ERR_TARGET_UNREACHABLE' }]);
      }),
    );
  });
}
