/** What operators let be, as their file says now. A bad version never replaces a good one: it is refused loudly. */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, configErrorLine } from '#config/config-error.js';
import type { AllowedAccess } from '#events/standing-access.js';
import { ALLOWED_ACCESS_FILE, loadAllowedAccess } from '#policy/load-allowed-access.js';
import { repeat } from '#store/repeat.js';
import type { Log } from '#telemetry/log.js';

const LOOK_EVERY_MS = 1_000;

export interface AllowedListMeans {
  /** The catalogue's folder. */
  dir: string;
  /** Ids of the catalogue's targets. */
  targets: () => ReadonlySet<string>;
  log: Log;
}

export class AllowedList {
  #loop: { stop: () => Promise<void> } | undefined;

  private constructor(
    private readonly means: AllowedListMeans,
    private entries: readonly AllowedAccess[],
    private looks: string,
  ) {}

  /** @throws ConfigError */
  static async load(means: AllowedListMeans): Promise<AllowedList> {
    const looks = await looksOf(means.dir);
    return new AllowedList(means, await loadAllowedAccess(means.dir, means.targets()), looks);
  }

  /** The same list until another one is read. */
  now(): readonly AllowedAccess[] {
    return this.entries;
  }

  begin(): void {
    this.#loop = repeat(
      LOOK_EVERY_MS,
      () => this.turn(),
      (err) => this.means.log.error({ err }, 'looking after the allowed accounts failed'),
    );
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Looks at the file once. */
  async turn(): Promise<void> {
    const { dir, targets, log } = this.means;
    const looks = await looksOf(dir);
    if (looks === this.looks) return;
    const read = await loadAllowedAccess(dir, targets()).catch(refusal);
    // It is still being written.
    if ((await looksOf(dir)) !== looks) return;
    this.looks = looks;
    if (read instanceof ConfigError) {
      log.error(
        { dir, problems: [configErrorLine(read)] },
        'a new version of the allowed accounts is refused, and the one before is gone by',
      );
      return;
    }
    log.info({ accounts: read.length }, 'another list of allowed accounts is gone by');
    this.entries = read;
  }
}

/** Another text as soon as the file is written, replaced or taken away. */
async function looksOf(dir: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(join(dir, ALLOWED_ACCESS_FILE), { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return '';
  }
}

function refusal(error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  throw error;
}
