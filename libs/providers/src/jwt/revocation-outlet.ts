/** How a token is taken back: by telling verifiers, who hear of it on `mayfly.revocations.v1`. Only the revoker has one. */
import type { Lineage } from '#events/lineage.js';
import type { RevocationRecord } from '#events/revocations.js';

/** What a verifier knows a token by. */
export interface TokenLease {
  leaseId: string;
  agent: string | null;
  /** Absent: the agent had never been revoked. */
  agentGeneration?: number | undefined;
  lineage: Lineage;
}

export interface RevocationOutlet {
  /** Resolves when the bus has it. Numbering is the outlet's. */
  revoke(record: Omit<RevocationRecord, 'seq'>): Promise<void>;
  /** What verifiers make of it that have read everything we told them. `unknown`: what we told is not known here. */
  look(lease: TokenLease): 'dead' | 'live' | 'unknown';
}
