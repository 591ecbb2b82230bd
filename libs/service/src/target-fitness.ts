/**
 * Looks at each target again and again: whether it is fit to be lent from. A target that is not stops nobody but itself, and is looked at
 * until somebody has mended it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspectTarget } from '#providers/inspect-target.js';
import { clashesOf } from '#providers/open-providers.js';
import { REASONS, STOPS, type TargetFinding, type TargetUser } from '#providers/target-finding.js';
import type { TargetSettings } from '#providers/target-settings.js';
import type { Log } from '#telemetry/log.js';
import type { Metrics } from '#telemetry/metrics.js';

export interface TargetFitnessMeans {
  targets: readonly TargetSettings[];
  user: TargetUser;
  /** Names that the catalogue lends at a target by now. */
  rightsOf: (target: string) => readonly string[];
  log: Log;
  metrics: Metrics;
  inspect?: typeof inspectTarget;
  /** How long until the next look: at a target that is well, and at one that is not. */
  pace?: { wellMs: number; unwellMs: number };
}

/** Mending is noticed soon; what is well costs a connection now and then. */
const PACE = { wellMs: 30_000, unwellMs: 5_000 };
/** A server that is started anew is away for a moment, and what is under way is tried again. */
const AWAY_STOPS_AT = 2;

interface Seen {
  findings: readonly TargetFinding[];
  /** Looks in a row at which it was not reached. */
  away: number;
}

export class TargetFitness {
  readonly #seen = new Map<string, Seen>();
  /** They do not go away while this process runs. */
  readonly #clashes: ReadonlyMap<string, TargetFinding>;
  readonly #ending = new AbortController();

  constructor(private readonly means: TargetFitnessMeans) {
    const { metrics, targets } = means;
    this.#clashes = clashesOf(targets);
    const unfit = metrics.gauge({
      name: 'target_unfit',
      help: '1 while nothing is issued at a target because of what is amiss there.',
      labels: ['target'],
    });
    this.#tell = (target) => unfit.set({ target }, this.#stopping(target).length > 0 ? 1 : 0);
    for (const { id } of targets) this.#tell(id);
  }

  readonly #tell: (target: string) => void;

  /** Does not wait for any of them. */
  begin(): void {
    for (const [id, clash] of this.#clashes) this.#log(id, [], [clash]);
    for (const target of this.means.targets) void this.#watch(target);
  }

  /** A look that is under way is not waited for: it changes nothing anywhere. */
  stop(): void {
    this.#ending.abort();
  }

  /** Why nothing may be made with these rights at a target, in constant words. What was not looked at yet counts as fit. */
  unfit(target: string, rights: readonly string[]): string | null {
    const finding = this.#stopping(target).find(({ right }) => right === undefined || rights.includes(right));
    return finding === undefined ? null : `${REASONS[finding.code]} (${finding.code})`;
  }

  /** Of targets at which something is not issued: for readiness, beside the reasons for which a service would not be ready. */
  remarks(): string[] {
    return this.means.targets.flatMap(({ id }) =>
      [...new Set(this.#stopping(id).map(({ code }) => code))].map(
        (code) => `target ${id} is not fit: ${code}`,
      ),
    );
  }

  #stopping(target: string): TargetFinding[] {
    const { findings, away } = this.#seen.get(target) ?? { findings: [], away: 0 };
    const clash = this.#clashes.get(target);
    return [
      ...(clash === undefined ? [] : [clash]),
      ...findings.filter(
        ({ code }) => STOPS[code] && (code !== 'ERR_TARGET_UNREACHABLE' || away >= AWAY_STOPS_AT),
      ),
    ];
  }

  async #watch(target: TargetSettings): Promise<void> {
    const { signal } = this.#ending;
    const { wellMs, unwellMs } = this.means.pace ?? PACE;
    while (!signal.aborted) {
      const isWell = await this.#look(target);
      await sleep(isWell ? wellMs : unwellMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #look(target: TargetSettings): Promise<boolean> {
    const { inspect = inspectTarget, user, rightsOf } = this.means;
    const findings = await inspect(target, user, rightsOf(target.id));
    const before = this.#seen.get(target.id);
    const isAway = findings.some(({ code }) => code === 'ERR_TARGET_UNREACHABLE');
    this.#seen.set(target.id, { findings, away: isAway ? (before?.away ?? 0) + 1 : 0 });
    this.#tell(target.id);
    this.#log(target.id, before?.findings ?? [], findings);
    return findings.length === 0;
  }

  /** Once for each thing that is amiss, and once when all is well again. */
  #log(target: string, before: readonly TargetFinding[], now: readonly TargetFinding[]): void {
    const { log } = this.means;
    for (const finding of now) {
      if (before.some((known) => known.code === finding.code && known.what === finding.what)) continue;
      const { code, what, how } = finding;
      if (STOPS[code]) log.error({ target, code, what, how }, 'a target is not fit, and is looked at again');
      else log.warn({ target, code, what, how }, 'something is amiss at a target');
    }
    if (before.length > 0 && now.length === 0) log.info({ target }, 'a target is well again');
  }
}
