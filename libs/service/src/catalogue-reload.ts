/**
 * Has a service that asks no policy go by the catalogue as it is now: watches its folder, and hands over a new version once it is
 * whole and loads. A bad version never replaces a good one: it is refused loudly, and tried again when the folder changes.
 */
import { ConfigError, configErrorLine } from '#config/config-error.js';
import type { Catalogue } from '#events/catalogue.js';
import type { FolderState } from '#policy/folder-state.js';
import { FolderWatch } from '#policy/folder-watch.js';
import { loadCatalogue, type CatalogueOptions } from '#policy/load-catalogue.js';
import { repeat } from '#store/repeat.js';
import type { Log } from '#telemetry/log.js';
import type { VersionMeasures } from './catalogue-measures.js';

const LOOK_EVERY_MS = 1_000;

export interface CatalogueReloadMeans {
  dir: string;
  env: NodeJS.ProcessEnv;
  /** Which targets there may be: those that were opened at the start. */
  options: CatalogueOptions;
  /** The one at the start, and how the folder looked before it was read. */
  loaded: Catalogue;
  seen: FolderState;
  take: (catalogue: Catalogue) => void;
  log: Log;
  measures: VersionMeasures;
}

export class CatalogueReload {
  readonly #watch: FolderWatch<'catalogue'>;
  #digest: string;
  #loop: { stop: () => Promise<void> } | undefined;

  constructor(private readonly means: CatalogueReloadMeans) {
    const { dir, loaded, seen } = means;
    this.#watch = new FolderWatch({ catalogue: dir }, { catalogue: seen });
    this.#digest = loaded.digest;
  }

  begin(): void {
    this.#loop = repeat(
      LOOK_EVERY_MS,
      () => this.turn(),
      (err) => this.means.log.error({ err }, 'looking after the catalogue failed'),
    );
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Looks at the folder once. */
  async turn(): Promise<void> {
    const states = await this.#watch.look();
    if (states === undefined) return;
    const { dir, env, options, take, log, measures } = this.means;
    const loaded = await loadCatalogue(dir, env, options).catch(refusal);
    if (!(await this.#watch.isRead(states))) return;
    if (loaded instanceof ConfigError) {
      measures.refused();
      log.error(
        { catalogue: this.#digest, dir, problems: [configErrorLine(loaded)] },
        'a new version of the catalogue is refused, and the one before is gone by',
      );
      return;
    }
    const { catalogue } = loaded;
    measures.good();
    if (catalogue.digest === this.#digest) return;
    log.info({ catalogue: catalogue.digest, previous: this.#digest }, 'another catalogue is gone by');
    measures.activated();
    this.#digest = catalogue.digest;
    take(catalogue);
  }
}

/** What cannot be told from a bad version is thrown on, and tried again at the next turn. */
function refusal(error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  throw error;
}
