/**
 * The issuer's public keys, from its JWKS. Refreshed in the background; where the issuer does not answer, the last good ones serve
 * up to a hard limit. A name that is not known is worth one look, and then none for a while, however many tokens bear it.
 */
import type { KeyObject } from 'node:crypto';
import { isObject, parseJson } from '#identity/bytes.js';
import { hasPrivateMember, importPublicJwk } from '#identity/jwk.js';
import { fits } from '#identity/jws.js';
import { fetchDocument, secureUrl, type Fetch } from './fetch-document.js';

/** Where a verifier gets keys. */
export interface TokenKeys {
  keyOf(kid: string): KeyObject | undefined;
  /** Looks for a key that is not known, if it may. @returns whether it is known now. MUST NOT throw. */
  seek(kid: string, nowMs: number): Promise<boolean>;
  /** The keys are older than anybody should rely on: `keyOf` knows none. */
  isStale(nowMs: number): boolean;
}

export interface IssuerKeysSettings {
  /** From the configuration, never from a token. */
  url: string;
  refreshEveryMs?: number;
  /** Older than this, the last good keys are good no more. */
  hardLimitMs?: number;
  coolDownMs?: number;
  clock?: () => number;
  fetch?: Fetch;
  onTrouble?: (cause: Error) => void;
}

const MAX_JWKS_BYTES = 65_536;
const MAX_KEYS = 64;
const REFRESH_EVERY_MS = 300_000;
const HARD_LIMIT_MS = 3_600_000;
const COOL_DOWN_MS = 10_000;

export class IssuerKeys implements TokenKeys {
  readonly #settings: Required<Omit<IssuerKeysSettings, 'fetch'>> & { fetch?: Fetch };
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #fetchedAtMs = -Infinity;
  #soughtAtMs = -Infinity;
  #fetching: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(settings: IssuerKeysSettings) {
    this.#settings = {
      refreshEveryMs: REFRESH_EVERY_MS,
      hardLimitMs: HARD_LIMIT_MS,
      coolDownMs: COOL_DOWN_MS,
      clock: Date.now,
      onTrouble: () => undefined,
      ...settings,
      url: secureUrl(settings.url),
    };
  }

  /**
   * Resolves after the first look, whatever came of it: without keys every token is refused, and with the next look that ends.
   * @throws TypeError for a URL in clear
   */
  static async open(settings: IssuerKeysSettings): Promise<IssuerKeys> {
    const keys = new IssuerKeys(settings);
    await keys.#keepFresh();
    return keys;
  }

  keyOf(kid: string): KeyObject | undefined {
    return this.isStale(this.#settings.clock()) ? undefined : this.#keys.get(kid);
  }

  isStale(nowMs: number): boolean {
    return nowMs - this.#fetchedAtMs > this.#settings.hardLimitMs;
  }

  async seek(kid: string, nowMs: number): Promise<boolean> {
    if (this.#fetching === undefined && nowMs - this.#soughtAtMs < this.#settings.coolDownMs) return false;
    this.#soughtAtMs = nowMs;
    await this.refresh();
    return this.keyOf(kid) !== undefined;
  }

  /** One look at a time. A failure changes nothing, and is told. */
  refresh(): Promise<void> {
    this.#fetching ??= this.#fetch()
      .catch((cause: unknown) =>
        this.#settings.onTrouble(cause instanceof Error ? cause : new Error('the keys cannot be fetched')),
      )
      .finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  async #keepFresh(): Promise<void> {
    const before = this.#fetchedAtMs;
    await this.refresh();
    if (this.#isClosed) return;
    const { refreshEveryMs, coolDownMs } = this.#settings;
    const waitMs = this.#fetchedAtMs === before ? Math.min(coolDownMs, refreshEveryMs) : refreshEveryMs;
    this.#timer = setTimeout(() => void this.#keepFresh(), waitMs).unref();
  }

  async #fetch(): Promise<void> {
    const { url, fetch, clock } = this.#settings;
    const atMs = clock();
    const accept = 'application/jwk-set+json, application/json';
    const bytes = await fetchDocument({ url, accept, maxBytes: MAX_JWKS_BYTES, ...(fetch && { fetch }) });
    // Replaced, not added to: a key that is gone from the set has been withdrawn.
    this.#keys = readIssuerKeys(bytes);
    this.#fetchedAtMs = atMs;
  }
}

/**
 * The ES256 keys of a JWKS by name; keys for other things are passed over. No key at all is an answer: nothing is accepted.
 * @throws Error for what is no JWKS, gives a private key away, or has one name twice
 */
export function readIssuerKeys(bytes: Buffer): Map<string, KeyObject> {
  const parsed = parseJson(bytes);
  if (!parsed.ok || !isObject(parsed.value) || !Array.isArray(parsed.value.keys))
    throw new Error('no JWK Set');
  if (parsed.value.keys.length > MAX_KEYS) throw new Error('too many keys');
  const keys = new Map<string, KeyObject>();
  for (const jwk of parsed.value.keys as unknown[]) {
    if (!isObject(jwk)) throw new Error('no JWK Set');
    if (hasPrivateMember(jwk)) throw new Error('the JWK Set gives a private key away');
    const { kid, use = 'sig', alg = 'ES256' } = jwk;
    if (typeof kid !== 'string' || kid === '' || use !== 'sig' || alg !== 'ES256') continue;
    const key = importPublicJwk(jwk);
    if (key === undefined || !fits(key, 'ES256')) continue;
    if (keys.has(kid)) throw new Error('a key id is given twice');
    keys.set(kid, key);
  }
  return keys;
}
