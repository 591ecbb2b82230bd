/** A revocation as a security event (CAEP `session-revoked`). Pure. */
import type { RevocationRecord } from '#events/revocations.js';
import type { InitiatingEntity, Revoked, SessionRevoked } from '#tokens/security-event.js';

/** What all receivers are told alike; the rest of the event is of the stream. */
export type Told = Omit<SessionRevoked, 'iss' | 'aud' | 'iat'>;

/** Everything else is the work of a program that came to its end. */
const INITIATED: Readonly<Record<string, InitiatingEntity>> = {
  operator: 'admin',
  agent_revoked: 'admin',
  deadline: 'policy',
  amended: 'policy',
  approval_withdrawn: 'policy',
};

/** @returns null for what is no session, or over by itself: a token says when it expires */
export function sessionEnded(
  { seq, what, id, generationBelow, reason }: RevocationRecord,
  causedBy: string | null,
  tokenIssuer: string,
  nowMs: number,
): Told | null {
  const revoked = revokedOf(what, id, generationBelow, tokenIssuer);
  if (revoked === null || reason === 'expired') return null;
  // By its number, which is never given twice: told again after a restore, it is known as the same.
  const jti = `mayfly-revocation-${seq}`;
  return {
    ...{ jti, revoked, reason, eventTimestamp: Math.floor(nowMs / 1_000) },
    ...{ txn: causedBy ?? jti, initiatingEntity: INITIATED[reason] ?? 'system' },
  };
}

function revokedOf(
  what: RevocationRecord['what'],
  id: string,
  generationBelow: number | null,
  issuer: string,
): Revoked | null {
  if (what === 'task') return { what, taskId: id, generationBelow };
  // An agent's leases are told one by one; a key is no longer among those that the issuer publishes.
  return what === 'lease' ? { what, issuer, leaseId: id } : null;
}
