/**
 * Security events for receivers outside the bus: CAEP 1.0 `session-revoked` as a SET (RFC 8417) in the profile of SSF 1.0: no `sub`,
 * no `exp`, and the subject in `sub_id` (RFC 9493). Pure; times are seconds.
 */
import { refuse } from '#identity/refuse.js';
import { hasOnly, isCount, isName, isSeconds, isText } from './claim-forms.js';
import type { Checked, SecurityEventCode } from './refusal.js';
import { readSignedToken, signToken, verifySignature, type KeyOf, type TokenKey } from './signed-token.js';

export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

/** What is over: one token, or all tokens of a task whose generation is below a number (null: all there are and will be). */
export type Revoked =
  | { what: 'lease'; issuer: string; leaseId: string }
  | { what: 'task'; taskId: string; generationBelow: number | null };

export const INITIATING_ENTITIES = ['admin', 'user', 'policy', 'system'] as const;
export type InitiatingEntity = (typeof INITIATING_ENTITIES)[number];

export interface SessionRevoked {
  /** The issuer of the stream. */
  iss: string;
  /** The receiver of the stream. */
  aud: string;
  jti: string;
  iat: number;
  /** What all events of one cause have in common: the `ce_id` that led to it. */
  txn: string;
  revoked: Revoked;
  /** When it was revoked. */
  eventTimestamp: number;
  initiatingEntity: InitiatingEntity;
  /** For the receiver's administrators: the cause. */
  reason: string;
}

export const MAX_SECURITY_EVENT_CHARS = 8192;

/** @throws TypeError if the key is no EC P-256 key. */
export function signSessionRevoked(event: SessionRevoked, key: TokenKey): string {
  const { iss, aud, jti, iat, txn, revoked, eventTimestamp, initiatingEntity, reason } = event;
  const told = {
    event_timestamp: eventTimestamp,
    initiating_entity: initiatingEntity,
    reason_admin: { en: reason },
    ...(revoked.what === 'task' &&
      revoked.generationBelow !== null && { mayfly_generation_below: revoked.generationBelow }),
  };
  const claims = { iss, aud, jti, iat, txn, sub_id: subjectOf(revoked), events: { [SESSION_REVOKED]: told } };
  return signToken('secevent+jwt', claims, key);
}

const subjectOf = (revoked: Revoked) =>
  revoked.what === 'lease'
    ? { format: 'jwt_id', iss: revoked.issuer, jti: revoked.leaseId }
    : { format: 'complex', session: { format: 'opaque', id: revoked.taskId } };

export interface SecurityEventTrust {
  keyOf: KeyOf;
  issuer: string;
  audience: string;
  nowMs: number;
  leewayMs?: number;
}

const invalid = (reason: string) => refuse('ERR_SECURITY_EVENT_INVALID', reason);

/** After `ok`, the issuer has said so, once: a SET does not expire, and whether its `jti` is new is for the receiver. */
export function verifySessionRevoked(
  token: string,
  { keyOf, issuer, audience, nowMs, leewayMs = 2000 }: SecurityEventTrust,
): Checked<{ event: SessionRevoked }, SecurityEventCode> {
  const reading = readSignedToken(token, 'secevent+jwt', MAX_SECURITY_EVENT_CHARS);
  if (!reading.ok) return reading;
  const form = readEvent(reading.signed.claims);
  if (!form.ok) return form;
  const { event } = form;
  if (event.iss !== issuer) return refuse('ERR_TOKEN_ISSUER', 'the event is of another issuer');
  if (event.aud !== audience) return refuse('ERR_TOKEN_AUDIENCE', 'the event is for somebody else');
  const authentic = verifySignature(reading.signed, keyOf);
  if (!authentic.ok) return authentic;
  if (event.iat * 1000 > nowMs + leewayMs) return refuse('ERR_TOKEN_EARLY', 'the event is not valid yet');
  return { ok: true, event };
}

function readEvent(claims: Record<string, unknown>): Checked<{ event: SessionRevoked }, SecurityEventCode> {
  const { iss, aud, jti, iat, txn, sub_id, events } = claims;
  if (!isName(iss, 2048)) return refuse('ERR_TOKEN_ISSUER', 'the event does not say who issued it');
  if (!isName(aud, 2048)) return refuse('ERR_TOKEN_AUDIENCE', 'the event is not for exactly one audience');
  if (Object.hasOwn(claims, 'sub') || Object.hasOwn(claims, 'exp'))
    return invalid('the event has a claim that would let it pass as another kind of token');
  if (!isName(jti, 256) || !isName(txn, 256) || !isSeconds(iat))
    return invalid('the event lacks its id, its transaction or its time');
  if (!hasOnly(events, [SESSION_REVOKED])) return invalid('the event is of a type we do not know');
  const told = events[SESSION_REVOKED];
  if (!hasOnly(told, ['event_timestamp', 'initiating_entity', 'reason_admin', 'mayfly_generation_below']))
    return invalid('the event has a member we do not know');
  const { event_timestamp: eventTimestamp, initiating_entity, reason_admin } = told;
  const initiatingEntity = INITIATING_ENTITIES.find((entity) => entity === initiating_entity);
  if (!isSeconds(eventTimestamp) || initiatingEntity === undefined)
    return invalid('the event does not say when and by whom it was revoked');
  if (!hasOnly(reason_admin, ['en']) || !isText(reason_admin.en, 512))
    return invalid('the event does not say why');
  const revoked = readSubject(sub_id, told.mayfly_generation_below);
  if (revoked === undefined) return invalid('the event is about nothing we know');
  const { en: reason } = reason_admin;
  return {
    ok: true,
    event: { iss, aud, jti, iat, txn, revoked, eventTimestamp, initiatingEntity, reason },
  };
}

function readSubject(subject: unknown, generationBelow: unknown): Revoked | undefined {
  if (hasOnly(subject, ['format', 'iss', 'jti']) && subject.format === 'jwt_id') {
    const { iss, jti } = subject;
    if (generationBelow !== undefined || !isName(iss, 2048) || !isName(jti, 256)) return undefined;
    return { what: 'lease', issuer: iss, leaseId: jti };
  }
  if (!hasOnly(subject, ['format', 'session']) || subject.format !== 'complex') return undefined;
  const { session } = subject;
  if (!hasOnly(session, ['format', 'id']) || session.format !== 'opaque' || !isName(session.id))
    return undefined;
  if (generationBelow === undefined) return { what: 'task', taskId: session.id, generationBelow: null };
  return isCount(generationBelow, 1) ? { what: 'task', taskId: session.id, generationBelow } : undefined;
}
