/**
 * What is dead, as far as this process was told, and whether it may rely on that. Pure: no clock, no I/O, times in epoch
 * milliseconds. Whoever feeds it MUST have verified that the revoker wrote the record.
 */
import type { RevocationHeartbeat, RevocationRecord } from '#events/revocations.js';

/** What a token says of itself, to be looked up. */
export interface TokenLife {
  leaseId: string;
  agent: string;
  /** Of the key that signed the token. */
  kid: string;
  /** Its own task first, then all ancestors. */
  lineage: readonly { taskId: string; generation: number }[];
  /** Absent: as low as can be, so that any record about the agent kills it. */
  agentGeneration?: number;
}

/** A record of the topic, whose writer has been verified. A value of null is a tombstone. */
export type ToldRecord =
  | { type: 'revocation'; key: string; revocation: RevocationRecord; value: Uint8Array }
  | { type: 'heartbeat'; heartbeat: RevocationHeartbeat }
  | { type: 'tombstone'; key: string };

/** Why the set may lack something. */
export type NotKnowing =
  /** The topic was not read to where it ended when reading began. */
  | 'catching_up'
  /** No heartbeat for 3 s, or those that come are that old. */
  | 'silent'
  /** The revoker has not read what orchestrators and brokers said over 3 s ago. */
  | 'inputs_behind'
  /** The revoker's sum is another: a record is missing here. */
  | 'digest_differs'
  /** More records than this process will hold. */
  | 'full';

export type Knowledge = { knows: true } | { knows: false; why: NotKnowing };

/** What feeds and verifiers rely on. */
export declare class RevocationSet {
  constructor(limits?: { maxRecords?: number });
  apply(record: ToldRecord, nowMs: number): void;
  isDead(token: TokenLife): boolean;
  know(nowMs: number): Knowledge;
  /** XOR of the records held, lower-case hex. */
  digest(): string;
}
