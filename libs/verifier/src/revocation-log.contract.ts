/** For the specs: a bus with the revocations topic and the revoker's inputs in memory, and a revoker that signs by `jose`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CompactSign, importJWK } from 'jose';
import type { BusRecord, Consumer, LogEnd, Subscription } from '#bus/bus.js';
import { setDigestOf, type RevocationRecord } from '#events/revocations.js';
import { canonical } from '#events/jcs.js';
import { CREDENTIAL_EVENTS, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import type { PeerKeys } from '#identity/records.js';
import { AGENT_KEY, ISSUER_KEY, OTHER_KEY, publicOf } from '../../identity/test/fixtures.js';
import { createHash, createPublicKey } from 'node:crypto';
import type { RevocationLog } from './revocation-feed.js';

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const keyObject = (jwk: typeof ISSUER_KEY) => createPublicKey({ key: publicOf(jwk), format: 'jwk' });

export const KEYS = { revoker: ISSUER_KEY, broker: AGENT_KEY, stranger: OTHER_KEY };
export const PEERS: PeerKeys = new Map([
  ['revoker', { service: 'revoker', key: keyObject(KEYS.revoker) }],
  ['broker', { service: 'broker', key: keyObject(KEYS.broker) }],
]);

/** One partition each. Readers are given what is there and what comes; a spec may cut them off. */
export class FakeLog implements RevocationLog {
  readonly records: BusRecord[] = [];
  /** Where the revoker's inputs end. */
  inputs = 0n;
  unreachable = false;
  subscriptions: Subscription[] = [];
  /** What a reader waits for after the first record of those that were there. */
  gate: Promise<void> = Promise.resolve();
  #serving: Promise<void> = Promise.resolve();

  /** Offset of the oldest record that is still there; what was before it is gone. */
  oldest = 0;

  ends(topics: readonly string[]): Promise<LogEnd[]> {
    if (this.unreachable) return Promise.reject(new Error('unreachable'));
    const next = (topic: string) => (topic === REVOCATIONS ? BigInt(this.records.length) : this.inputs);
    return Promise.resolve(
      topics.map((topic) => ({ topic, partition: 0, oldest: BigInt(this.oldest), next: next(topic) })),
    );
  }

  async subscribe(subscription: Subscription): Promise<Consumer> {
    if (this.unreachable) throw new Error('unreachable');
    const places = await subscription.positions([{ topic: REVOCATIONS, partition: 0 }]);
    this.subscriptions.push(subscription);
    const from = Number(places[0]?.next ?? 0n);
    if (from < this.oldest) throw new Error('out of range');
    if (from < this.records.length) this.#serve(subscription, this.records.slice(from, from + 1));
    const rest = this.records.slice(from + 1);
    this.#serving = this.#serving.then(() => this.gate);
    if (rest.length > 0) this.#serve(subscription, rest);
    return {
      ready: () => Promise.resolve(),
      isReady: () => true,
      stop: () => {
        this.subscriptions = this.subscriptions.filter((each) => each !== subscription);
        return Promise.resolve();
      },
    };
  }

  append(record: Pick<BusRecord, 'key' | 'value' | 'headers'>): void {
    const offset = BigInt(this.records.length);
    this.records.push({ topic: REVOCATIONS, partition: 0, offset, appendedAtMs: 0, ...record });
    for (const each of this.subscriptions) this.#serve(each, this.records.slice(-1));
  }

  /** Hands the last records over again, as after a rebalance. */
  again(count: number): void {
    for (const each of this.subscriptions) this.#serve(each, this.records.slice(-count));
  }

  crash(): void {
    for (const each of this.subscriptions.splice(0)) each.onCrash(new Error('the session is lost'));
  }

  /** Everything was handed over and handled. */
  async settled(): Promise<void> {
    for (let before; before !== this.#serving;) await (before = this.#serving);
    await new Promise((resolve) => setImmediate(resolve));
  }

  #serve(subscription: Subscription, records: readonly BusRecord[]): void {
    this.#serving = this.#serving.then(() => subscription.onBatch(records));
  }
}

/** What the revoker says, signed; and what others say in its place. */
export class FakeRevoker {
  #seq = 0;
  readonly #live = new Map<string, Buffer>();

  constructor(
    readonly log: FakeLog,
    readonly clock: () => number,
  ) {}

  async revoke(what: RevocationRecord['what'], id: string, over: { generationBelow?: number } = {}) {
    const key = `${what}:${id}`;
    const value = Buffer.from(
      JSON.stringify({
        seq: (this.#seq += 1),
        what,
        id,
        generationBelow: over.generationBelow ?? null,
        notAfter: new Date(this.clock() + 60_000).toISOString(),
        reason: 'task_ended',
      }),
    );
    this.#live.set(key, value);
    await this.write(key, value);
  }

  async bury(key: string) {
    this.#live.delete(key);
    await this.write(key, null);
  }

  async beat({ readUpTo = this.log.inputs } = {}) {
    const inputs = { '0': String(readUpTo) };
    await this.write(
      'heartbeat',
      Buffer.from(
        JSON.stringify({
          seq: (this.#seq += 1),
          at: new Date(this.clock()).toISOString(),
          inputsReadUpTo: { [TASK_EVENTS]: inputs, [CREDENTIAL_EVENTS]: inputs },
          live: this.#live.size,
          setDigest: setDigestOf(sha256, this.#live),
        }),
      ),
    );
  }

  async write(
    key: string,
    value: Buffer | null,
    {
      by = 'revoker',
      kid = by,
      source = '//mayfly/revoker',
      subject = key,
      type = key === 'heartbeat' ? 'dev.mayfly.revocation.heartbeat.v1' : 'dev.mayfly.revocation.v1',
    }: { by?: keyof typeof KEYS; kid?: string; source?: string; subject?: string; type?: string } = {},
  ) {
    const time = new Date(this.clock()).toISOString();
    const ce = { id: '01936f2e-8000-7000-9000-000000000001', source, subject, time, type };
    const store = 'epoch.1';
    const value_sha256 = createHash('sha256')
      .update(value ?? '')
      .digest('hex');
    const signature = await new CompactSign(
      Buffer.from(canonical({ topic: REVOCATIONS, key, ce, value_sha256, store })),
    )
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'mayfly-record+jwt' })
      .sign(await importJWK(KEYS[by], 'ES256'));
    this.log.append({
      key: Buffer.from(key),
      value,
      headers: {
        ce_specversion: '1.0',
        ce_id: ce.id,
        ce_source: source,
        ce_type: type,
        ce_subject: subject,
        ce_time: time,
        'content-type': 'application/json',
        'mayfly-store': store,
        'mayfly-sig': signature,
      },
    });
  }
}

/** @throws Error where it does not come true within thirty seconds */
export async function until(isTrue: () => boolean): Promise<void> {
  for (const endsAtMs = Date.now() + 30_000; !isTrue(); await sleep(10))
    if (Date.now() > endsAtMs) throw new Error('it did not come true');
}
