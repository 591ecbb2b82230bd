/** Brings the newest head to every anchor: soon after it was signed, each at its own pace, so that none waits for another. */
import type { Database } from '#store/database.js';
import { repeat } from '#store/repeat.js';
import type { Log } from '#telemetry/log.js';
import { readCheckpoint } from '../log/checkpoints.js';
import { CONTRADICTS, headOf, type Anchor, type AnchorCode, type Head } from './anchor.js';
import type { AnchorMeasures } from './measures.js';
import { isContradicted, isDue, lacksForMs, missed, reached, remarkOf, seeing, UNTRIED } from './standing.js';
import type { Standing } from './standing.js';

const LOOK_EVERY_MS = 1_000;

export interface AnchorsParts {
  db: Database;
  anchors: readonly Anchor[];
  log: Pick<Log, 'info' | 'warn' | 'error'>;
  measures: AnchorMeasures;
  /** How often one anchor is brought a head at most. */
  everyMs: number;
  lookEveryMs?: number;
}

export class Anchors {
  readonly #standings = new Map<Anchor, Standing>();
  readonly #underWay = new Map<Anchor, Promise<void>>();
  readonly #stop = new AbortController();
  #looking: { stop: () => Promise<void> } | undefined;

  constructor(private readonly parts: AnchorsParts) {}

  start(): void {
    const { anchors, lookEveryMs = LOOK_EVERY_MS, log } = this.parts;
    if (anchors.length === 0) return;
    this.#looking = repeat(
      lookEveryMs,
      () => this.#look(),
      (err) => log.warn({ err }, 'the newest checkpoint could not be read for anchors'),
    );
  }

  /** What is under way is broken off: it is brought again, and known there. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#looking?.stop();
    await Promise.all(this.#underWay.values());
  }

  /** For readiness: which anchors are behind, or refuse the log. */
  remarks(): string[] {
    return this.parts.anchors.flatMap(
      (anchor) => remarkOf(this.#standing(anchor), anchor.label, Date.now()) ?? [],
    );
  }

  async #look(): Promise<void> {
    const checkpoint = await readCheckpoint(this.parts.db.pool);
    if (checkpoint === undefined || this.#stop.signal.aborted) return;
    const head = headOf(checkpoint.note);
    for (const anchor of this.parts.anchors) {
      const nowMs = Date.now();
      this.#note(anchor, seeing(this.#standing(anchor), head.note, nowMs));
      if (this.#underWay.has(anchor) || !isDue(this.#standing(anchor), nowMs)) continue;
      const work = this.#bring(anchor, head).finally(() => this.#underWay.delete(anchor));
      this.#underWay.set(anchor, work);
    }
  }

  async #bring(anchor: Anchor, head: Head): Promise<void> {
    const startMs = Date.now();
    const code = await this.#put(anchor, head);
    if (this.#stop.signal.aborted) return;
    const before = this.#standing(anchor);
    this.#tell(anchor, before.code, code);
    this.parts.measures.attempted(anchor.label, code);
    this.#note(
      anchor,
      code === undefined
        ? reached(head.note, startMs, this.parts.everyMs)
        : missed(before, code, Date.now(), Math.random()),
    );
  }

  async #put(anchor: Anchor, head: Head): Promise<AnchorCode | undefined> {
    try {
      return await anchor.put(head, this.#stop.signal);
    } catch (err) {
      this.parts.log.warn({ err, anchor: anchor.label }, 'a head could not be offered to an anchor');
      return 'ERR_ANCHOR_UNOFFERED';
    }
  }

  /** Once for each change. */
  #tell({ label: anchor }: Anchor, before: AnchorCode | undefined, code: AnchorCode | undefined): void {
    const { log } = this.parts;
    if (before === code) return;
    if (code === undefined) log.info({ anchor }, 'an anchor has the newest head again');
    else if (CONTRADICTS[code]) log.error({ anchor, code }, 'an anchor holds another history of the log');
    else log.warn({ anchor, code }, 'a head did not reach an anchor');
  }

  #standing(anchor: Anchor): Standing {
    return this.#standings.get(anchor) ?? UNTRIED;
  }

  #note(anchor: Anchor, standing: Standing): void {
    this.#standings.set(anchor, standing);
    this.parts.measures.stands(anchor.label, {
      lacksForMs: lacksForMs(standing, Date.now()),
      isContradicted: isContradicted(standing),
    });
  }
}
