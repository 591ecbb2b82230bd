/** What the stories of the kit share: the harness, and the few steps that many of them begin or end with. */
import { openProviders } from '../open-providers.js';
import type { Credential, CredentialProvider, Observation, Plan } from '../provider.js';
import { targetSettings } from '../target-settings.js';
import { createLog } from '#telemetry/log.js';
import type {
  AgentSession,
  Process,
  ProviderHarness,
  Scale,
  TargetFeatures,
  WiredTarget,
} from './harness.contract.js';
import { Wire } from './wire.contract.js';

const log = createLog('conformance', { level: 'silent' });
const MAX_CLOCK_SKEW_MS = 2_000;

/** The adapters of both processes once more, and all that they say to the target goes through the wire. */
export interface Wired {
  wire: Wire;
  broker: CredentialProvider;
  revoker: CredentialProvider;
  close(): Promise<void>;
}

export class Kit {
  #harness: ProviderHarness | null = null;

  constructor(
    readonly features: TargetFeatures,
    readonly scale: Scale,
  ) {}

  async open(open: () => Promise<ProviderHarness>): Promise<void> {
    this.#harness = await open();
  }

  async close(): Promise<void> {
    await this.#harness?.close();
  }

  get harness(): ProviderHarness {
    return needed(this.#harness, 'harness');
  }

  get wiredTarget(): WiredTarget {
    return needed(this.harness.wire, 'wire');
  }

  /** @throws Error when it is not created */
  async created(plan: Plan): Promise<Credential> {
    const answer = await this.harness.broker.create(plan);
    if (answer.answer !== 'created') throw new Error(`not created: ${answer.code}`);
    return answer.credential;
  }

  async withSession(credential: Credential, act: (session: AgentSession) => Promise<void>): Promise<void> {
    const session = await this.harness.login(credential);
    try {
      await act(session);
    } finally {
      await session.close().catch(() => undefined);
    }
  }

  async nothingThere(plan: Plan): Promise<void> {
    if (this.features.knowsPrincipals)
      expect((await this.harness.revoker.observe(plan)).state).toBe('absent');
  }

  /** A cut that proves that there is no access. */
  async cutProven(plan: Plan): Promise<void> {
    const { observation, emptyObservations } = await this.harness.revoker.cut(plan);
    expect(emptyObservations).toBeGreaterThanOrEqual(2);
    expectNoAccess(observation);
  }

  /** Whatever was begun with this lease before, another process ends and removes it. */
  async endsForGood(plan: Plan): Promise<void> {
    await this.cutProven(plan);
    expect(await this.harness.revoker.clean(plan)).toMatchObject({ state: 'absent', sessions: 0 });
    expect(await this.listed()).not.toContain(plan.principal);
  }

  async listed(): Promise<string[]> {
    const principals: string[] = [];
    for await (const { principal } of this.harness.revoker.list()) principals.push(principal);
    return principals;
  }

  async openWired(): Promise<Wired> {
    const at = this.wiredTarget;
    const wire = await Wire.open(at, at.listenOn);
    const open = async (process: Process): Promise<CredentialProvider> => {
      const target = targetSettings.parse(at.settings(process, wire.port));
      const opened = await openProviders([target], log, { maxClockSkewMs: MAX_CLOCK_SKEW_MS });
      return needed(opened.get(target.id), 'adapter');
    };
    const [broker, revoker] = [await open('broker'), await open('revoker')];
    return {
      wire,
      broker,
      revoker,
      // The wire first: an adapter waits for what it has asked.
      close: async () => {
        await wire.close();
        await Promise.all([broker.close(), revoker.close()]);
      },
    };
  }

  async withWire(act: (wired: Wired) => Promise<void>): Promise<void> {
    const wired = await this.openWired();
    try {
      await act(wired);
    } finally {
      await wired.close();
    }
  }
}

export function expectNoAccess(observation: Observation): void {
  expect(['disabled', 'absent']).toContain(observation.state);
  expect(observation.sessions).toBe(0);
}

/** What a target cannot do is not asked of it. */
export const itIf =
  (feature: boolean | undefined) =>
  (title: string, run: () => Promise<void>, withinMs?: number): void => {
    if (feature === true) it(title, run, withinMs);
  };

export function needed<T>(member: T | null | undefined, what: string): T {
  if (member === null || member === undefined) throw new Error(`the harness has no ${what}`);
  return member;
}
