/**
 * Token Status Lists as they are served (draft-ietf-oauth-status-list): signed copies, made at most once in their `ttl` unless
 * something changed. Whoever asks, and however often, costs a bounded number of looks at the database.
 */
import { createHash } from 'node:crypto';
import type { Database } from '#store/database.js';
import { signStatusList, StatusList } from '#tokens/status-list.js';
import type { TokenKey } from '#tokens/signed-token.js';
import { readInvalid, readLists } from './status-rows.js';

export interface StatusListParts {
  db: Database;
  key: TokenKey;
  /** Where the lists are: `<lists>/<number>`, as the tokens say. */
  lists: string;
  /** How long a copy may be used without asking again. */
  ttlMs: number;
  /** How long it may be used where nobody answers. */
  validMs: number;
}

export interface ServedList {
  token: Buffer;
  etag: string;
  maxAgeS: number;
}

/** As many as the broker gives out in one list. */
const PLACES = 2 ** 20;
/** Clocks differ: a token that is over by ours may be good by a verifier's. */
const GRACE_MS = 60_000;
/** In a storm of ends a list is not made for each of them. */
const MADE_AT_MOST_EVERY_MS = 50;
const LOOKED_FOR_AT_MOST_EVERY_MS = 250;

interface Copy {
  served: ServedList;
  madeAtMs: number;
}

export class StatusLists {
  readonly #copies = new Map<string, Copy>();
  readonly #changed = new Set<string>();
  readonly #making = new Map<string, Promise<ServedList>>();
  #known: ReadonlySet<string> = new Set();
  #lookedAtMs = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(private readonly parts: StatusListParts) {}

  /** Something became invalid there: the next who asks gets a new copy. */
  change(uris: ReadonlySet<string>): void {
    for (const uri of uris) if (this.#copies.has(uri) || this.#making.has(uri)) this.#changed.add(uri);
  }

  /** @returns null for a list in which no token could be good */
  async serve(number: string): Promise<ServedList | null> {
    if (!/^(0|[1-9][0-9]{0,15})$/.test(number)) return null;
    const uri = `${this.parts.lists}/${number}`;
    const nowMs = Date.now();
    const pause = this.#known.has(uri) ? this.parts.ttlMs : LOOKED_FOR_AT_MOST_EVERY_MS;
    if (nowMs - this.#lookedAtMs >= pause) await this.#look(nowMs);
    if (!this.#known.has(uri)) return null;
    const copy = this.#copies.get(uri);
    const ageMs = nowMs - (copy?.madeAtMs ?? -Infinity);
    const isGood = ageMs < (this.#changed.has(uri) ? MADE_AT_MOST_EVERY_MS : this.parts.ttlMs);
    return copy !== undefined && isGood ? copy.served : await this.#make(uri);
  }

  #look(nowMs: number): Promise<void> {
    this.#looking ??= readLists(this.parts.db, nowMs - GRACE_MS)
      .then((known) => {
        this.#known = known;
        this.#lookedAtMs = nowMs;
        for (const uri of this.#copies.keys()) if (!known.has(uri)) this.#copies.delete(uri);
      })
      .finally(() => (this.#looking = undefined));
    return this.#looking;
  }

  #make(uri: string): Promise<ServedList> {
    let making = this.#making.get(uri);
    if (making === undefined) {
      making = this.#build(uri).finally(() => this.#making.delete(uri));
      this.#making.set(uri, making);
    }
    return making;
  }

  async #build(uri: string): Promise<ServedList> {
    const { db, key, ttlMs, validMs } = this.parts;
    // Before it is read: what changes from now on is in the next copy, if it is not in this one.
    this.#changed.delete(uri);
    const madeAtMs = Date.now();
    const list = StatusList.ofSize(PLACES);
    for (const idx of await readInvalid(db, uri, madeAtMs - GRACE_MS))
      if (idx < PLACES) list.set(idx, 'INVALID');
    const iat = Math.floor(madeAtMs / 1_000);
    const ttl = Math.ceil(ttlMs / 1_000);
    const token = Buffer.from(
      signStatusList({ uri, list, iat, exp: iat + Math.ceil(validMs / 1_000), ttl }, key),
    );
    const etag = `"${createHash('sha256').update(token).digest('base64url').slice(0, 22)}"`;
    const served = { token, etag, maxAgeS: ttl };
    this.#copies.set(uri, { served, madeAtMs });
    return served;
  }
}
