/**
 * The keys that sign tokens, as one broker knows them. They live in the broker's schema; every broker signs with the one that is
 * active, and publishes all that verify.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { LONGEST_LEASE_MS } from '#providers/any-target.js';
import type { TokenSigner } from '#providers/jwt/token-signer.js';
import type { EventOf } from '#events/outbound.js';
import { serviceSource } from '#events/services.js';
import { CREATE_WINDOW_MS } from '#events/call.js';
import { thumbprint, type EcPublicJwk } from '#identity/jwk.js';
import { newP256Key } from '#identity/new-key.js';
import { transact, type Database, type Tx } from '#store/database.js';
import { enqueue, type QueuedRecord } from '#store/outbox.js';
import { signAccessToken, type AccessTokenClaims } from '#tokens/access-token.js';
import { unreachable } from '#events/unreachable.js';
import { credentialRecord } from '../records.js';
import {
  activateKey,
  addKey,
  forgetKey,
  holdKeys,
  nowOf,
  readKeys,
  retireKeys,
  takeOrder,
  type KeyRow,
} from './key-rows.js';
import { dueSteps, type KeyStep, type Reason, type RotationOrder } from './key-schedule.js';
import type { KeyWrap } from './key-wrap.js';

/** Keys read longer ago sign nothing: another broker may have retired them. */
const STALE_AFTER_MS = 60_000;
/** The last signature of a key comes at most so long after it is retired, and no token is longer than the longest lease. */
export const KEEP_RETIRED_MS = LONGEST_LEASE_MS + CREATE_WINDOW_MS + 2 * STALE_AFTER_MS;

export interface TokenKeyParts {
  db: Database;
  wrap: KeyWrap;
  issuer: string;
  schedule: { rotateEveryMs: number; publishAheadMs: number };
  /** Takes what is to be told, once it is committed. */
  send: (queued: QueuedRecord[]) => void;
}

export type PublishedJwk = EcPublicJwk & { kid: string; use: 'sig'; alg: 'ES256' };

interface Known {
  active: { kid: string; key: KeyObject } | null;
  /** Those that sign, or will. */
  privates: ReadonlyMap<string, KeyObject>;
  jwks: PublishedJwk[];
  atMs: number;
}

export class TokenKeys implements TokenSigner {
  #known: Known = { active: null, privates: new Map(), jwks: [], atMs: -Infinity };

  private constructor(private readonly parts: TokenKeyParts) {}

  /** Makes the first key where there is none. @throws IdentityError ERR_IDENTITY_KEY_INVALID: another key-encryption key wrapped them */
  static async open(parts: TokenKeyParts): Promise<TokenKeys> {
    const keys = new TokenKeys(parts);
    await keys.#change({ wait: true });
    return keys;
  }

  get issuer(): string {
    return this.parts.issuer;
  }

  sign(claims: Omit<AccessTokenClaims, 'iss'>): { token: string; kid: string } | null {
    const { active, atMs } = this.#known;
    if (active === null || performance.now() - atMs > STALE_AFTER_MS) return null;
    return { token: signAccessToken({ iss: this.issuer, ...claims }, active), kid: active.kid };
  }

  /** Those that verify: published, active and retired ones. */
  get jwks(): readonly PublishedJwk[] {
    return this.#known.jwks;
  }

  /** Does what is due, unless another broker is at it, and learns what others did. */
  async turn(): Promise<void> {
    await this.#change({ wait: false });
  }

  async rotate(order: RotationOrder): Promise<void> {
    await this.#change({ wait: true, order });
  }

  async #change({ wait, order }: { wait: boolean; order?: RotationOrder }): Promise<void> {
    const { db, schedule, send } = this.parts;
    const atMs = performance.now();
    const { rows, queued } = await transact(db, async (tx) => {
      const isOurs = await holdKeys(tx, db.schema, { wait });
      const before = await readKeys(tx);
      const full = { ...schedule, keepMs: KEEP_RETIRED_MS };
      const ordered = isOurs ? (order ?? (await takeOrder(tx))) : undefined;
      const steps = isOurs ? dueSteps(before, full, await nowOf(tx), ordered) : [];
      if (steps.length === 0) return { rows: before, queued: [] };
      const told: QueuedRecord[] = [];
      for (const step of steps) told.push(...(await this.#take(tx, step, before)));
      return { rows: await readKeys(tx), queued: told };
    });
    if (queued.length > 0) send(queued);
    const known = await this.#learn(rows, atMs);
    // Two at once may end in another order than they began.
    if (known.atMs >= this.#known.atMs) this.#known = known;
  }

  async #take(tx: Tx, step: KeyStep, keys: readonly KeyRow[]): Promise<QueuedRecord[]> {
    const previous = keys.find(({ state }) => state === 'active')?.kid;
    switch (step.do) {
      case 'publish':
        await this.#publish(tx, step.reason);
        return [];
      case 'activate': {
        if (previous !== undefined) await retireKeys(tx, [previous]);
        await activateKey(tx, step.kid);
        const { why = 'schedule', by } = keys.find(({ kid }) => kid === step.kid) ?? {};
        return await tellRotated(tx, { kid: step.kid, previous, why, ...(by && { by }) });
      }
      case 'replace': {
        const earlier = keys.filter(({ state }) => state !== 'retired').map(({ kid }) => kid);
        await retireKeys(tx, earlier);
        if (step.compromised) for (const each of earlier) await forgetKey(tx, each);
        const kid = await this.#publish(tx, step.reason);
        await activateKey(tx, kid);
        const compromised = step.compromised ? previous : undefined;
        return await tellRotated(tx, { kid, previous, ...step.reason, ...(compromised && { compromised }) });
      }
      case 'forget':
        await forgetKey(tx, step.kid);
        return [];
      default:
        return unreachable(step);
    }
  }

  async #publish(tx: Tx, { why, by }: Reason): Promise<string> {
    const { privateKey, publicJwk: jwk } = newP256Key();
    const kid = thumbprint(jwk);
    const der = privateKey.export({ format: 'der', type: 'pkcs8' });
    await addKey(tx, {
      kid,
      jwk,
      why,
      by: by ?? null,
      wrapped: await this.parts.wrap.wrap(der, nameOf(kid)),
    });
    return kid;
  }

  async #learn(rows: readonly KeyRow[], atMs: number): Promise<Known> {
    const jwks = rows.map(({ kid, jwk: { kty, crv, x, y } }): PublishedJwk => ({
      ...{ kty, crv, x, y },
      ...{ kid, use: 'sig', alg: 'ES256' },
    }));
    const privates = new Map<string, KeyObject>();
    // The next one too: that it cannot be opened is told before it is needed.
    for (const { kid, wrapped } of rows)
      if (wrapped !== null)
        privates.set(kid, this.#known.privates.get(kid) ?? (await this.#unwrapped(kid, wrapped)));
    const kid = rows.find(({ state }) => state === 'active')?.kid ?? '';
    const key = privates.get(kid);
    return { active: key === undefined ? null : { kid, key }, privates, jwks, atMs };
  }

  async #unwrapped(kid: string, wrapped: Buffer): Promise<KeyObject> {
    const key = await this.parts.wrap.unwrap(wrapped, nameOf(kid));
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' });
  }
}

/** What a wrapped key is bound to: its bytes open under no other id. */
const nameOf = (kid: string) => `mayfly token key ${kid}`;

interface Rotated extends Reason {
  kid: string;
  previous: string | undefined;
  compromised?: string;
}

async function tellRotated(tx: Tx, { previous, ...rotated }: Rotated): Promise<QueuedRecord[]> {
  const nowMs = await nowOf(tx);
  const event: EventOf<'signing_key.rotated'> = {
    type: 'signing_key.rotated',
    data: {
      taskId: 'signing-key',
      generation: 0,
      actor: serviceSource('broker'),
      at: new Date(nowMs).toISOString(),
      service: 'broker',
      ...rotated,
      ...(previous === undefined ? {} : { previous }),
    },
  };
  return await enqueue(tx, [credentialRecord(event, nowMs)]);
}
