/**
 * Watches the policy folder, and has a new version decide once it is whole, loads and passes its own tests. A bad version never
 * replaces a good one: it is refused loudly, and tried again when the folder changes. Each broker does this by itself.
 */
import { folderState, type FolderState } from '#policy/folder-state.js';
import { PolicyError, policyErrorLines } from '#policy/policy-error.js';
import { PolicySet } from '#policy/policy-set.js';
import { transact } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { BrokerParts } from '../broker-parts.js';
import type { PolicyMeasures } from './policy-measures.js';
import { recordActivation } from './record-activation.js';

const LOOK_EVERY_MS = 1_000;

type Parts = Pick<BrokerParts, 'db' | 'relay' | 'catalogue' | 'judge' | 'log'>;

export interface PolicyReloadMeans {
  dir: string;
  /** The set that decides at the start, and how the folder looked before it was read. */
  loaded: PolicySet;
  seen: FolderState;
  measures: PolicyMeasures;
}

export class PolicyReload {
  /** Signatures of the folder: as it looked last, and as it was when it was loaded or refused last. */
  #looked: string;
  #tried: string;
  /** Loaded, and not written down yet. */
  #next: { set: PolicySet; by: string } | undefined;
  #loop: { stop: () => Promise<void> } | undefined;

  /** @param parts whose `judge` becomes another */
  constructor(
    private readonly parts: Parts,
    private readonly means: PolicyReloadMeans,
  ) {
    const { loaded, seen } = means;
    this.#looked = this.#tried = seen.signature;
    this.#next = { set: loaded, by: seen.by };
  }

  begin(): void {
    this.#loop = repeat(
      LOOK_EVERY_MS,
      () => this.turn(),
      (err) => this.parts.log.error({ err }, 'looking after the policy folder failed'),
    );
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Looks at the folder once. */
  async turn(): Promise<void> {
    const state = await folderState(this.means.dir);
    // One that still changes is being written: half of a version may load, and lack the guard that comes with its permits.
    const isStill = state.signature === this.#looked;
    this.#looked = state.signature;
    if (isStill && state.signature !== this.#tried) await this.#load(state);
    if (this.#next !== undefined) await this.#activate(this.#next);
  }

  async #load({ signature, by }: FolderState): Promise<void> {
    const { dir, measures } = this.means;
    const { log, catalogue, judge } = this.parts;
    const loaded = await PolicySet.load(dir, catalogue).catch(refusal);
    if ((await folderState(dir)).signature !== signature) return;
    this.#tried = signature;
    if (loaded instanceof PolicyError) {
      measures.refused();
      log.error(
        { policySet: judge.digest, dir, problems: policyErrorLines(loaded) },
        'a new version of the policies is refused, and the one before decides',
      );
      return;
    }
    this.#next = { set: loaded, by };
  }

  /** Written down before it is used: the log tells of a set before it tells of decisions by it. */
  async #activate({ set, by }: { set: PolicySet; by: string }): Promise<void> {
    const { parts, means } = this;
    const queued = await transact(parts.db, (tx) => recordActivation(tx, parts.db.schema, set, by));
    if (set.digest !== parts.judge.digest) {
      parts.log.info({ policySet: set.digest, previous: parts.judge.digest, by }, 'other policies decide');
      means.measures.activated();
    }
    parts.judge = set;
    this.#next = undefined;
    means.measures.good();
    void parts.relay.send(queued);
  }
}

/** What cannot be told from a bad version is thrown on, and tried again at the next turn. */
function refusal(error: unknown): PolicyError {
  if (error instanceof PolicyError) return error;
  throw error;
}
