/**
 * An issuer's keys and when to look for newer ones. It has no timer: the service calls `refresh`, and most calls find nothing due.
 * What was read last stays good while its source fails, up to a limit; then nothing of the issuer is believed.
 */
import type { Bundle } from './bundle.js';
import { IdentityError } from './errors.js';
import type { KeyLocation } from './key-location.js';
import type { TrustDomain } from './trust-domain.js';

/** The bytes at a location. @throws IdentityError */
export type ReadKeys = (at: KeyLocation, domain: string) => Promise<Buffer>;

/** How long keys are believed without their source. */
export const DEFAULT_MAX_STALE_MS = 86_400_000;

const AT_MOST_EVERY_MS = 1_000;
const AT_LEAST_EVERY_MS = 3_600_000;
/** How often to ask whether something is due, where reading costs a request. */
const TICK_MS = 5_000;
/** The agent of this machine has bundles at hand, and says not how often they change. */
const WORKLOAD_API_MS = 30_000;
const RETRY_FIRST_MS = 5_000;
const RETRY_LAST_MS = 300_000;
/** An unknown key id brings a read forward, at most so often, and ever more seldom while it is not found. */
const WANTED_FIRST_MS = 30_000;
const WANTED_LAST_MS = 600_000;

const backOff = (firstMs: number, lastMs: number, times: number) => Math.min(firstMs * 2 ** times, lastMs);
const clamp = (ms: number, leastMs: number, mostMs: number) => Math.min(Math.max(ms, leastMs), mostMs);

export interface KeySourceSettings {
  domain: TrustDomain;
  at: KeyLocation;
  parse: (bytes: Buffer, location: string) => Bundle;
  read: ReadKeys;
  maxStaleMs: number;
}

export class KeySource {
  readonly #settings: KeySourceSettings;
  #goodAtMs: number;
  #dueAtMs: number;
  #failures = 0;
  #wantedFromMs: number;
  #wantedInVain = 0;
  #flight: Promise<IdentityError | undefined> | undefined;

  /** @param nowMs when the domain's present bundle was read */
  constructor(settings: KeySourceSettings, nowMs: number) {
    this.#settings = settings;
    this.#goodAtMs = nowMs;
    this.#dueAtMs = nowMs + this.#paceMs;
    this.#wantedFromMs = nowMs + WANTED_FIRST_MS;
  }

  get domain(): TrustDomain {
    return this.#settings.domain;
  }

  /** How often to call `refresh`. */
  get refreshEveryMs(): number {
    return this.#isFile ? this.#paceMs : Math.min(this.#paceMs, TICK_MS);
  }

  get #isFile(): boolean {
    return this.#settings.at.kind === 'file';
  }

  /** The issuer's hint, within reason; and twice at least before what we have is too old. */
  get #paceMs(): number {
    const { domain, at, maxStaleMs } = this.#settings;
    const hintMs = at.kind === 'workload_api' ? WORKLOAD_API_MS : domain.refreshHintMs;
    return clamp(hintMs, AT_MOST_EVERY_MS, Math.min(AT_LEAST_EVERY_MS, maxStaleMs / 2));
  }

  /**
   * Reads again what is due; a file, which costs nothing, always. Never twice at once: who comes meanwhile gets the same outcome.
   * @param onTaken called when a bundle was taken or the keys have become too old: what was verified by them counts no more.
   * @returns what went wrong, to be logged.
   */
  refresh(nowMs: number, onTaken: () => void): Promise<IdentityError | undefined> {
    this.#flight ??= this.#refresh(nowMs, onTaken).finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #refresh(nowMs: number, onTaken: () => void): Promise<IdentityError | undefined> {
    const { domain, at, parse, read } = this.#settings;
    const wanted = nowMs >= this.#wantedFromMs ? domain.wantedKid : undefined;
    if (this.#isFile || nowMs >= this.#dueAtMs || wanted !== undefined) {
      try {
        domain.replace(parse(await read(at, domain.name), at.location), nowMs);
        this.#goodAtMs = nowMs;
        this.#failures = 0;
        this.#dueAtMs = nowMs + this.#paceMs;
        if (wanted !== undefined) this.#lookedFor(wanted, nowMs);
        onTaken();
        return undefined;
      } catch (error) {
        if (!(error instanceof IdentityError)) throw error;
        const retryMs = backOff(RETRY_FIRST_MS, RETRY_LAST_MS, this.#failures);
        this.#failures += 1;
        this.#dueAtMs = nowMs + Math.min(retryMs, this.#paceMs);
        if (wanted !== undefined) this.#lookedFor(wanted, nowMs);
        this.#expireAt(nowMs, onTaken);
        return error;
      }
    }
    this.#expireAt(nowMs, onTaken);
    return undefined;
  }

  #lookedFor(kid: string, nowMs: number): void {
    this.#wantedFromMs = nowMs + backOff(WANTED_FIRST_MS, WANTED_LAST_MS, this.#wantedInVain);
    this.#wantedInVain = this.domain.has(kid) ? 0 : this.#wantedInVain + 1;
  }

  #expireAt(nowMs: number, onTaken: () => void): void {
    if (nowMs - this.#goodAtMs <= this.#settings.maxStaleMs) return;
    this.domain.expire();
    onTaken();
  }
}
