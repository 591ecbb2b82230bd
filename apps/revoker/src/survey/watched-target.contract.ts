/** A target watch at work for integration specs, at a pace that specs can wait for. */
import type { AllowedAccess } from '#events/standing-access.js';
import type { OutboundData, OutboundType } from '#events/outbound.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { CredentialProvider } from '#providers/provider.js';
import type { TellsIncarnation, TellsStandingAccess } from '#providers/target-survey.js';
import type { World } from '../revoker-world.contract.js';
import type { TargetWatch, TargetWatchSettings } from './target-watch.js';

const FAST: TargetWatchSettings = {
  ...{ sweepEveryMs: 100, surveyEveryMs: 100, orphanGraceMs: 30_000 },
  ...{ lookEveryMs: 20, lifeEveryMs: 20 },
};
/** Longer than any spec. */
export const NEVER_AGAIN_MS = 3_600_000;

export interface WatchOptions {
  provider?: CredentialProvider;
  settings?: Partial<TargetWatchSettings>;
  allowed?: () => readonly AllowedAccess[];
}

/** Starts a revoker, and the watch with it. */
export async function watching(world: World, options: WatchOptions = {}): Promise<TargetWatch> {
  const { provider, settings, allowed = () => NOBODY } = options;
  const revoker = await (provider === undefined ? world.start() : world.start(provider));
  const watch = revoker.targetWatch(world.bus, { settings: { ...FAST, ...settings }, allowed });
  watch.start();
  return watch;
}
const NOBODY: readonly AllowedAccess[] = [];

/** What the revoker said of a kind, in order. A record may come twice: readers go by its id. */
export function told<T extends OutboundType>(world: World, type: T): OutboundData<T>[] {
  const said = new Map<string, OutboundData<T>>();
  for (const { headers, value } of world.bus.records(CREDENTIAL_EVENTS))
    if (headers['ce_type']?.toString() === `dev.mayfly.${type}.v1`)
      said.set(String(headers['ce_id']), JSON.parse(value?.toString() ?? 'null') as OutboundData<T>);
  return [...said.values()];
}

/** Resolves after one more sweep of the target `shop` than now. */
export async function swept(world: World, chore: 'swept_at' | 'surveyed_at' = 'swept_at'): Promise<void> {
  const read = async () => {
    const { rows } = await world.db.pool.query<{ at: Date | null }>(
      `SELECT ${chore} AS at FROM target WHERE target = 'shop'`,
    );
    return rows[0]?.at?.getTime() ?? 0;
  };
  // What was under way when this began may have looked before: the second end is of one that began after it.
  for (let n = 0; n < 2; n += 1) {
    const before = await read();
    await world.until(async () => (await read()) > before, chore);
  }
}

/** The adapter, but for some of its answers. */
export function changed<P extends CredentialProvider>(
  provider: P,
  answers: Partial<P & TellsIncarnation & TellsStandingAccess>,
): P {
  return new Proxy(provider, {
    get(target, key) {
      const own: unknown = Reflect.get(answers, key);
      if (own !== undefined) return own;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
