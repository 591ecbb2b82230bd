/**
 * What is dead, as far as this process was told, and whether it may rely on that. Pure: no clock; times in epoch milliseconds.
 * Whoever feeds it MUST have verified that the revoker wrote the record, and MUST hand records over as the topic has them.
 *
 * Records only grow, so a record that comes late or twice can do no harm: of one key the highest `seq` counts, and a
 * heartbeat is no sign of life unless its `seq` is higher than all that was heard before.
 */
import { createHash } from 'node:crypto';
import {
  REVOCATION_GRACE_MS,
  REVOKED_KINDS,
  digestOfRecord,
  revocationKey,
  saysMore,
  xorInto,
  type RevocationHeartbeat,
  type RevocationRecord,
  type RevokedKind,
} from '#events/revocations.js';
import { unreachable } from '#events/unreachable.js';

/** What a token says of itself, to be looked up. */
export interface TokenLife {
  leaseId: string;
  agent: string;
  /** Of the key that signed the token. */
  kid: string;
  /** Its own task first, then all ancestors. */
  lineage: readonly { taskId: string; generation: number }[];
  /** Absent: as low as can be, so that any record about the agent kills it. */
  agentGeneration?: number | undefined;
}

/** A record of the topic, whose writer has been verified. */
export type ToldRecord =
  | { type: 'revocation'; revocation: RevocationRecord; value: Uint8Array }
  /** `readUntilMs`: what was appended to the revoker's inputs before it, the revoker has read. */
  | { type: 'heartbeat'; heartbeat: RevocationHeartbeat; readUntilMs: number }
  | { type: 'tombstone'; key: string };

/** Why the set may lack something. */
export type NotKnowing =
  /** The topic was not read to where it ended when reading began. */
  | 'catching_up'
  /** No heartbeat for 3 s, or those that come are that old. */
  | 'silent'
  /** More records than this process will hold. */
  | 'full'
  /** The revoker's sum is another: a record is missing here. */
  | 'digest_differs'
  /** The revoker had not read what orchestrators or brokers said over 3 s before. */
  | 'inputs_behind';

export type Knowledge = { knows: true } | { knows: false; why: NotKnowing };

export const SILENT_AFTER_MS = 3_000;
export const INPUTS_BEHIND_AFTER_MS = 3_000;
/** By how much the revoker's clock and ours may differ. */
export const CLOCK_LEEWAY_MS = 2_000;
/** About 300 bytes each. */
export const MAX_RECORDS = 1_000_000;
/** Tombstones lag behind the end of the grace; without one, a record still goes. */
const TOMBSTONE_WAIT_MS = 60_000;
const SWEEP_EVERY_MS = 60_000;
const SWEEP_WHEN_FULL_MS = 1_000;
/** Changes that may be newer than a heartbeat which comes after them: another process of the revoker sent that one. */
const MAX_RECENT = 10_000;

interface Held {
  seq: number;
  generationBelow: number | null;
  notAfterMs: number;
  digest: Uint8Array;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const isBelow = (generation: number, { generationBelow }: Held) =>
  generationBelow === null || generation < generationBelow;

export class RevocationSet {
  readonly #maxRecords: number;
  readonly #held: Record<RevokedKind, Map<string, Held>> = {
    task: new Map(),
    lease: new Map(),
    agent: new Map(),
    key: new Map(),
  };
  #sum = new Uint8Array(32);
  /** What each change did to the sum, of those above the last heartbeat's `seq`. */
  #recent: { seq: number; change: Uint8Array }[] = [];
  #beat: { seq: number; atMs: number; heardAtMs: number; readUntilMs: number } | undefined;
  /** By what our sum differs from that of the last heartbeat. */
  #debt = new Uint8Array(32);
  #newestSeq = 0;
  #floorSeq = 0;
  #isCaughtUp = false;
  #isFull = false;
  #sweptAtMs = 0;
  #passedOver = 0;

  constructor({ maxRecords = MAX_RECORDS }: { maxRecords?: number } = {}) {
    this.#maxRecords = maxRecords;
  }

  apply(record: ToldRecord, nowMs: number): void {
    switch (record.type) {
      case 'revocation':
        return this.#revoke(record.revocation, record.value, nowMs);
      case 'heartbeat':
        return this.#hear(record.heartbeat, record.readUntilMs, nowMs);
      case 'tombstone':
        return this.#bury(record.key, nowMs);
      default:
        return unreachable(record);
    }
  }

  /** The topic was read to where it ended when reading began: from now on, a heartbeat counts if it is newer than all of that. */
  caughtUp(): void {
    this.#isCaughtUp = true;
    this.#floorSeq = this.#newestSeq;
    if (this.#beat !== undefined && this.#beat.seq < this.#floorSeq) this.#beat = undefined;
  }

  /** The topic was made anew, and is read from its start. */
  clear(): void {
    for (const what of REVOKED_KINDS) this.#held[what].clear();
    this.#sum.fill(0);
    this.#debt.fill(0);
    this.#recent = [];
    this.#beat = undefined;
    this.#newestSeq = this.#floorSeq = 0;
    this.#isCaughtUp = this.#isFull = false;
  }

  /** True for what is known to be dead. False says that it lives only while `know` does. */
  isDead({ leaseId, agent, kid, lineage, agentGeneration = 0 }: TokenLife): boolean {
    if (this.#held.lease.has(leaseId) || this.#held.key.has(kid)) return true;
    for (const { taskId, generation } of lineage) {
      const task = this.#held.task.get(taskId);
      if (task !== undefined && isBelow(generation, task)) return true;
    }
    const revoked = this.#held.agent.get(agent);
    return revoked !== undefined && isBelow(agentGeneration, revoked);
  }

  know(nowMs: number): Knowledge {
    if (!this.#isCaughtUp) return { knows: false, why: 'catching_up' };
    const beat = this.#beat;
    // Its own time, too: heartbeats that arrive steadily may have waited in a queue, and what came after them waits there still.
    const ageMs =
      beat === undefined
        ? Infinity
        : Math.max(nowMs - beat.heardAtMs, Math.abs(nowMs - beat.atMs) - CLOCK_LEEWAY_MS);
    if (beat === undefined || ageMs > SILENT_AFTER_MS) return { knows: false, why: 'silent' };
    if (this.#isFull) return { knows: false, why: 'full' };
    if (this.#debt.some((byte) => byte !== 0)) return { knows: false, why: 'digest_differs' };
    if (beat.heardAtMs - beat.readUntilMs > INPUTS_BEHIND_AFTER_MS)
      return { knows: false, why: 'inputs_behind' };
    return { knows: true };
  }

  /** XOR of the records held, in lower-case hex. */
  digest(): string {
    return Buffer.from(this.#sum).toString('hex');
  }

  get size(): number {
    return REVOKED_KINDS.reduce((sum, what) => sum + this.#held[what].size, 0);
  }

  /** Records that were no news, or said what they may not: a lower `seq`, a tombstone before its time. */
  get passedOver(): number {
    return this.#passedOver;
  }

  #revoke(told: RevocationRecord, value: Uint8Array, nowMs: number): void {
    this.#newestSeq = Math.max(this.#newestSeq, told.seq);
    const kind = this.#held[told.what];
    const before = kind.get(told.id);
    if (before !== undefined && told.seq <= before.seq) return this.#passOver();
    if (before === undefined && !this.#hasRoom(nowMs)) return;
    const digest = digestOfRecord(sha256, revocationKey(told), value);
    kind.set(told.id, {
      seq: told.seq,
      generationBelow:
        before === undefined || saysMore(told, before) ? told.generationBelow : before.generationBelow,
      notAfterMs: Math.max(Date.parse(told.notAfter), before?.notAfterMs ?? 0),
      digest,
    });
    const change = Uint8Array.from(digest);
    if (before !== undefined) xorInto(change, before.digest);
    xorInto(this.#sum, change);
    // A heartbeat already counted it: with it, the sums may agree after all.
    if (this.#beat !== undefined && told.seq < this.#beat.seq) xorInto(this.#debt, change);
    else if (this.#recent.push({ seq: told.seq, change }) > MAX_RECENT) this.#recent.shift();
  }

  #hear({ seq, at, setDigest }: RevocationHeartbeat, readUntilMs: number, nowMs: number): void {
    if (seq < this.#floorSeq || (this.#beat !== undefined && seq <= this.#beat.seq)) return this.#passOver();
    this.#newestSeq = Math.max(this.#newestSeq, seq);
    this.#beat = { seq, atMs: Date.parse(at), heardAtMs: nowMs, readUntilMs };
    this.#recent = this.#recent.filter((each) => each.seq > seq);
    this.#debt = Uint8Array.from(this.#sum);
    for (const { change } of this.#recent) xorInto(this.#debt, change);
    xorInto(this.#debt, Buffer.from(setDigest, 'hex'));
    if (this.#debt.every((byte) => byte === 0)) this.#isFull = false;
    if (nowMs - this.#sweptAtMs >= SWEEP_EVERY_MS) this.#sweep(nowMs);
  }

  #bury(key: string, nowMs: number): void {
    const colon = key.indexOf(':');
    const what = REVOKED_KINDS.find((kind) => kind === key.slice(0, colon));
    const id = key.slice(colon + 1);
    const held = what === undefined ? undefined : this.#held[what].get(id);
    // Nobody else may bring the dead back, and neither may the revoker before their time.
    if (what === undefined || held === undefined || nowMs <= held.notAfterMs) return this.#passOver();
    this.#forget(what, id, held);
  }

  #forget(what: RevokedKind, id: string, held: Held): void {
    this.#held[what].delete(id);
    xorInto(this.#sum, held.digest);
  }

  #hasRoom(nowMs: number): boolean {
    if (this.size < this.#maxRecords) return true;
    // Not at each record that finds no room: a look at all that is held takes tens of milliseconds.
    if (nowMs - this.#sweptAtMs >= SWEEP_WHEN_FULL_MS) this.#sweep(nowMs);
    if (this.size < this.#maxRecords) return true;
    this.#isFull = true;
    return false;
  }

  /** Takes out what is over and whose tombstone never came. The revoker counts a record until its tombstone, so not at once. */
  #sweep(nowMs: number): void {
    this.#sweptAtMs = nowMs;
    const overMs = nowMs - REVOCATION_GRACE_MS - TOMBSTONE_WAIT_MS;
    for (const what of REVOKED_KINDS)
      for (const [id, held] of this.#held[what]) if (held.notAfterMs < overMs) this.#forget(what, id, held);
  }

  #passOver(): void {
    this.#passedOver += 1;
  }
}
