/**
 * Whether a token lives, by the status list that it names (draft-ietf-oauth-status-list): for a service that has no Kafka. Slower to
 * know than the topic by the list's `ttl`, and it says so: an end becomes known when the copy at hand is older than that.
 */
import { readStatusList, type PublishedStatusList } from '#tokens/status-list.js';
import { MAX_STATUS_LIST_CHARS } from '#tokens/status-list.js';
import { fetchDocument, secureUrl, type Fetch } from './fetch-document.js';
import type { TokenKeys } from './issuer-keys.js';
import type { Life, LifeSource, VerifiedToken } from './life.js';

export interface StatusListSettings {
  /** What the URIs of lists begin with, such as `https://mayfly.example/status/`: another one in a token is not fetched. */
  lists: string;
  /** Of the revoker, who signs the lists: not those of tokens. */
  keys: Pick<TokenKeys, 'keyOf' | 'seek'>;
  clock?: () => number;
  fetch?: Fetch;
  onTrouble?: (cause: Error) => void;
}

/** Lists that are kept at once. */
const MAX_LISTS = 16;
/** After a failure, the copy at hand serves so long before the next try. */
const TRY_AGAIN_AFTER_MS = 1_000;

interface Copy {
  published: PublishedStatusList | undefined;
  fetchedAtMs: number;
  failedAtMs: number;
  fetching: Promise<void> | undefined;
}

export class StatusListSource implements LifeSource {
  readonly #settings: StatusListSettings;
  readonly #lists: string;
  readonly #copies = new Map<string, Copy>();

  /** @throws TypeError for lists in clear, or a beginning that would also begin another host's name. */
  constructor(settings: StatusListSettings) {
    this.#lists = secureUrl(settings.lists);
    if (!this.#lists.endsWith('/')) throw new TypeError('the beginning of the lists ends with no slash');
    this.#settings = settings;
  }

  async lifeOf({ claims }: VerifiedToken, nowMs: number): Promise<Life> {
    const named = claims.status?.status_list;
    if (named === undefined || !this.#isOurs(named.uri)) return 'unknown';
    const copy = this.#copyOf(named.uri);
    if (copy === undefined) return 'unknown';
    await this.#freshen(named.uri, copy, nowMs);
    const { published } = copy;
    // Last good until its own end, however long nobody could be asked.
    if (published === undefined || this.#now() >= published.exp * 1000) return 'unknown';
    const status = published.list.get(named.idx);
    // Suspended is dead for now; outside the list there is no statement.
    return status === undefined ? 'unknown' : status === 'VALID' ? 'live' : 'dead';
  }

  #now(): number {
    return (this.#settings.clock ?? Date.now)();
  }

  /** As written: `..` and the like would leave the place that was configured. */
  #isOurs(uri: string): boolean {
    return uri.startsWith(this.#lists) && /^[A-Za-z0-9_-]{1,128}$/.test(uri.slice(this.#lists.length));
  }

  #copyOf(uri: string): Copy | undefined {
    const kept = this.#copies.get(uri);
    if (kept !== undefined || this.#copies.size >= MAX_LISTS) return kept ?? this.#instead(uri);
    return this.#keep(uri);
  }

  #keep(uri: string): Copy {
    const copy = { published: undefined, fetchedAtMs: -Infinity, failedAtMs: -Infinity, fetching: undefined };
    this.#copies.set(uri, copy);
    return copy;
  }

  /** Room is made by a list that is over, never by one that serves. */
  #instead(uri: string): Copy | undefined {
    for (const [other, { published, fetching }] of this.#copies) {
      if (fetching !== undefined || (published !== undefined && this.#now() < published.exp * 1000)) continue;
      this.#copies.delete(other);
      return this.#keep(uri);
    }
    return undefined;
  }

  /** From half its `ttl` on a list is fetched again; past its `ttl` that is waited for. */
  async #freshen(uri: string, copy: Copy, nowMs: number): Promise<void> {
    const ttlMs = (copy.published?.ttl ?? 0) * 1000;
    const ageMs = nowMs - copy.fetchedAtMs;
    if (ageMs <= ttlMs / 2) return;
    if (copy.fetching === undefined && nowMs - copy.failedAtMs >= TRY_AGAIN_AFTER_MS)
      copy.fetching = this.#fetch(uri, copy)
        .catch((cause: unknown) => this.#failed(copy, cause))
        .finally(() => (copy.fetching = undefined));
    if (ageMs > ttlMs) await copy.fetching;
  }

  #failed(copy: Copy, cause: unknown): void {
    copy.failedAtMs = this.#now();
    this.#settings.onTrouble?.(
      cause instanceof Error ? cause : new Error('the status list cannot be fetched'),
    );
  }

  async #fetch(uri: string, copy: Copy): Promise<void> {
    const { fetch, keys } = this.#settings;
    const askedAtMs = this.#now();
    const bytes = await fetchDocument({
      url: uri,
      accept: 'application/statuslist+jwt',
      maxBytes: MAX_STATUS_LIST_CHARS,
      ...(fetch && { fetch }),
    });
    const token = bytes.toString('latin1');
    let sought = '';
    const read = () =>
      readStatusList(token, {
        uri,
        nowMs: this.#now(),
        keyOf: (kid) => {
          sought = kid;
          return keys.keyOf(kid);
        },
      });
    let reading = read();
    if (!reading.ok && reading.refusal.code === 'ERR_TOKEN_KEY_UNKNOWN')
      if (await keys.seek(sought, this.#now())) reading = read();
    if (!reading.ok) throw new Error(`the status list is refused: ${reading.refusal.code}`);
    // Whoever sits in between may hold back what is new, not bring back what is old.
    if (copy.published !== undefined && reading.iat < copy.published.iat)
      throw new Error('the status list is older than the one at hand');
    const { list, iat, exp, ttl } = reading;
    copy.published = { uri, list, iat, exp, ttl };
    copy.fetchedAtMs = askedAtMs;
  }
}
