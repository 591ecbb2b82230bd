/**
 * The conformance kit: what every provider must do, as tests at a real target (protocol rules 1, 4, 7 and 8). An adapter's spec calls
 * `describeProvider` with a harness, and with what its target can do: it is held to exactly that. How to write both, and how to run the
 * kit whole: docs/how-to/write-a-provider.md.
 */
import { describeClean } from './conformance/clean.contract.js';
import { describeCrash } from './conformance/crash.contract.js';
import { describeCreate } from './conformance/create.contract.js';
import { describeCut } from './conformance/cut.contract.js';
import {
  SMALL,
  type ProviderHarness,
  type Scale,
  type TargetFeatures,
} from './conformance/harness.contract.js';
import { describeInspect } from './conformance/inspect.contract.js';
import { Kit } from './conformance/kit.contract.js';
import { describeLateCreate } from './conformance/late-create.contract.js';
import { describeLive } from './conformance/live.contract.js';
import { describeObserve } from './conformance/observe.contract.js';
import { describeOutages } from './conformance/outages.contract.js';
import { describeRenew } from './conformance/renew.contract.js';
import { describeRestart } from './conformance/restart.contract.js';
import type { Credential } from './provider.js';

export type { AgentSession, ProviderHarness, TargetFeatures } from './conformance/harness.contract.js';

export function describeProvider<C extends Credential>(
  name: string,
  features: TargetFeatures,
  open: () => Promise<ProviderHarness<C>>,
  scale: Scale = SMALL,
): void {
  describe(`${name} as a provider`, () => {
    const kit = new Kit(features, scale);
    beforeAll(() => kit.open(open));
    afterAll(() => kit.close());

    describeInspect(kit);
    describeCreate(kit);
    describeRenew(kit);
    describeCut(kit);
    describeLateCreate(kit);
    describeObserve(kit);
    describeClean(kit);
    describeOutages(kit);
    describeCrash(kit);
    describeLive(kit);
    // Last, because it disturbs everybody at the target.
    describeRestart(kit);
  });
}
