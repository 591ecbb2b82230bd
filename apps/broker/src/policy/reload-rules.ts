/**
 * Watches the folders of policies and catalogue, and has a new version of them decide once it is whole, loads, fits the other and
 * passes its tests: both at once, between two decisions. A bad version never replaces a good one: it is refused loudly, and tried
 * again when a folder changes. Each broker does this by itself.
 */
import { ConfigError, configErrorLine } from '#config/config-error.js';
import type { Catalogue } from '#events/catalogue.js';
import type { FolderState } from '#policy/folder-state.js';
import type { Confirming } from '#policy/compiled/confirmed-policies.js';
import { FolderWatch } from '#policy/folder-watch.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { PolicyError, policyErrorLines } from '#policy/policy-error.js';
import { PolicySet } from '#policy/policy-set.js';
import type { TargetSettings } from '#providers/target-settings.js';
import type { VersionMeasures } from '#service/catalogue-measures.js';
import { transact } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { BrokerParts } from '../broker-parts.js';
import { recordActivation } from './record-activation.js';
import { recordCatalogue } from './record-catalogue.js';

const LOOK_EVERY_MS = 1_000;

/** The two folders that calls are decided by. */
export type RulesFolder = 'policy' | 'catalogue';
type Parts = Pick<BrokerParts, 'db' | 'relay' | 'catalogue' | 'judge' | 'log'>;
type States = Readonly<Record<RulesFolder, FolderState>>;

export interface RulesReloadMeans {
  folders: Readonly<Record<RulesFolder, string>>;
  env: NodeJS.ProcessEnv;
  /** The set that decides at the start, and how the folders looked before they were read. */
  loaded: PolicySet;
  seen: States;
  /** Whether calls are decided by compiled policies; absent: by the engine alone. */
  confirming?: Confirming;
  /** Targets that adapters were opened for at the start. */
  opened: readonly TargetSettings[];
  measures: Readonly<Record<RulesFolder, VersionMeasures>>;
}

/** Loaded, and not written down yet. `catalogue` absent: that of before stays. */
interface Next {
  policies: { set: PolicySet; by: string };
  catalogue?: { catalogue: Catalogue; by: string };
}

export class RulesReload {
  readonly #watch: FolderWatch<RulesFolder>;
  #next: Next | undefined;
  #loop: { stop: () => Promise<void> } | undefined;

  /** @param parts whose `judge` and `catalogue` become others */
  constructor(
    private readonly parts: Parts,
    private readonly means: RulesReloadMeans,
  ) {
    const { folders, loaded, seen } = means;
    this.#watch = new FolderWatch(folders, seen);
    this.#next = {
      policies: { set: loaded, by: seen.policy.by },
      catalogue: { catalogue: parts.catalogue, by: seen.catalogue.by },
    };
  }

  begin(): void {
    this.#loop = repeat(
      LOOK_EVERY_MS,
      () => this.turn(),
      (err) => this.parts.log.error({ err }, 'looking after policies and catalogue failed'),
    );
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Looks at the folders once. */
  async turn(): Promise<void> {
    const states = await this.#watch.look();
    if (states !== undefined) await this.#load(states);
    if (this.#next !== undefined) await this.#activate(this.#next);
  }

  async #load(states: States): Promise<void> {
    const { folders, env, opened, confirming } = this.means;
    const catalogue = await loadCatalogue(folders.catalogue, env, { opened }).then(
      (loaded) => loaded.catalogue,
      refusal(ConfigError),
    );
    // A rule that closes something does not wait for a catalogue that is being mended: it is tried with the one of before.
    const fitting = catalogue instanceof ConfigError ? this.parts.catalogue : catalogue;
    const set = await PolicySet.load(folders.policy, fitting, confirming).catch(refusal(PolicyError));
    if (!(await this.#watch.isRead(states))) return;

    if (catalogue instanceof ConfigError) this.#refuse('catalogue', [configErrorLine(catalogue)]);
    if (set instanceof PolicyError) {
      this.#refuse('policy', policyErrorLines(set));
      if (fitting.digest !== this.parts.catalogue.digest)
        this.#refuse('catalogue', ['the policies that it would come with are refused']);
      return;
    }
    this.#next = {
      policies: { set, by: states.policy.by },
      ...(catalogue instanceof ConfigError ? {} : { catalogue: { catalogue, by: states.catalogue.by } }),
    };
  }

  #refuse(folder: RulesFolder, problems: string[]): void {
    const { log, judge, catalogue } = this.parts;
    this.means.measures[folder].refused();
    log.error(
      { policySet: judge.digest, catalogue: catalogue.digest, dir: this.means.folders[folder], problems },
      REFUSED[folder],
    );
  }

  /** Written down before it is used: the log tells of a version before it tells of decisions by it. */
  async #activate({ policies: { set, by }, catalogue: next }: Next): Promise<void> {
    const { parts, means } = this;
    const queued = await transact(parts.db, async (tx) => [
      ...(await recordActivation(tx, parts.db.schema, set, by)),
      ...(next === undefined ? [] : await recordCatalogue(tx, parts.db.schema, next.catalogue, next.by)),
    ]);
    if (set.digest !== parts.judge.digest) {
      parts.log.info({ policySet: set.digest, previous: parts.judge.digest, by }, 'other policies decide');
      means.measures.policy.activated();
    }
    if (next !== undefined && next.catalogue.digest !== parts.catalogue.digest) {
      const fields = { catalogue: next.catalogue.digest, previous: parts.catalogue.digest, by: next.by };
      parts.log.info(fields, 'another catalogue is gone by');
      means.measures.catalogue.activated();
    }
    // In one step: whoever decides sees both as they were, or both as they are.
    parts.judge = set;
    parts.catalogue = next?.catalogue ?? parts.catalogue;
    this.#next = undefined;
    means.measures.policy.good();
    if (next !== undefined) means.measures.catalogue.good();
    void parts.relay.send(queued);
  }
}

const REFUSED: Record<RulesFolder, string> = {
  policy: 'a new version of the policies is refused, and the one before decides',
  catalogue: 'a new version of the catalogue is refused, and the one before is gone by',
};

/** What cannot be told from a bad version is thrown on, and tried again at the next turn. */
function refusal<E extends Error>(kind: new (...args: never[]) => E): (error: unknown) => E {
  return (error) => {
    if (error instanceof kind) return error;
    throw error;
  };
}
