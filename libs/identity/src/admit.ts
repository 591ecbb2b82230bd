/**
 * Rules 1 and 2 of admission, and the schema: is this record what it claims to be, from whom it claims to be?
 * Synchronous, cheapest first; no signature is checked before sizes, form and claims agree.
 */
import type { BusRecord } from '#bus/bus.js';
import type { InboundEvent } from '#events/inbound.js';
import type { Refusal } from '#events/refusal.js';
import { isEarly, isExpired, isOnlyFor } from './identity-token.js';
import { readInboundData } from './inbound-data.js';
import { readInboundRecord } from './inbound-record.js';
import { provePrincipal, type PrincipalProof } from './person-token.js';
import { matchProof, readProof } from './proof.js';
import { refuse } from './refuse.js';
import { readSenderToken } from './sender-token.js';
import { boundAudience } from './svid.js';
import type { Trust } from './trust.js';

/** An authentic event. Whether its sender may say it (rules 4 and 5), and whether it is new (rule 3), is not known yet. */
export interface Admitted {
  event: InboundEvent;
  ceId: string;
  /** Such as `dev.mayfly.tool.called.v1`. */
  wireType: string;
  /** The authenticated SPIFFE id: an SVID's own, or the one that an OIDC token is mapped to. */
  sender: string;
  /** RFC 7638 thumbprint of the key that proved the record, base64url: what rule 4 pins. */
  proofKeyThumbprint: string;
  svidSha256: string;
  /** True only for a `task.ended` whose SVID had expired when it was appended. */
  svidExpired: boolean;
  /** Over the value's bytes, lower-case hex: with `wireType`, what rule 3 compares. */
  valueSha256: string;
  appendedAtMs: number;
  /** W3C trace context. No proof covers it: for traces only. */
  traceparent?: string;
  /** Of a `task.started`: its principal's own proof. Absent: the principal is `asserted` by the orchestrator. */
  principalProof?: PrincipalProof;
  /** Of a call: whoever made it does not come back for its answer. */
  cannotWait?: true;
}

/** `sender` on a refusal is there only if it has been authenticated: a forger cannot put a name into the books. */
export type Admission = { ok: true; admitted: Admitted } | { ok: false; refusal: Refusal; sender?: string };

/**
 * @param record as read from the topic; over HTTP the same bytes and headers, with the arrival time as `appendedAtMs`.
 * @param trust the issuers; remembers the SVIDs and keys it has verified.
 * @param audiences `bound_or_plain` only where nobody on the way could have read the SVID: over TLS, or on loopback in development.
 */
export function admit(
  record: BusRecord,
  trust: Trust,
  audiences: 'bound' | 'bound_or_plain' = 'bound',
): Admission {
  const { appendedAtMs } = record;
  const taken = readInboundRecord(record);
  if (!taken.ok) return taken;
  const { inbound } = taken;
  const { head } = inbound;

  const readingToken = readSenderToken(inbound.svid, trust);
  if (!readingToken.ok) return readingToken;
  const { token: svid, domain } = readingToken;
  if (head.source !== svid.subject)
    return refuse('ERR_SOURCE_MISMATCH', 'ce_source is not the subject of the SVID');
  if (domain === undefined)
    return refuse('ERR_SVID_UNTRUSTED', 'the trust domain of the SVID is not trusted here');

  const readingProof = readProof(inbound.proof);
  if (!readingProof.ok) return readingProof;
  const { proof } = readingProof;
  const isPlain = audiences === 'bound_or_plain' && isOnlyFor(svid, domain.audience);
  if (!isPlain && !isOnlyFor(svid, boundAudience(domain.audience, proof.keyThumbprint)))
    return refuse('ERR_SVID_NOT_BOUND', 'the only audience of the SVID must name the key of the proof');
  if (isEarly(svid, appendedAtMs)) return refuse('ERR_SVID_INVALID', 'the SVID is not valid yet');
  const svidExpired = isExpired(svid, appendedAtMs);
  if (svidExpired && inbound.type !== 'task.ended')
    return refuse('ERR_SVID_EXPIRED', 'the SVID had expired when the record was appended');

  const matching = matchProof(
    proof,
    {
      topic: record.topic,
      key: head.subject,
      ceId: head.id,
      ceType: head.type,
      value: inbound.value,
      svidSha256: svid.sha256,
    },
    appendedAtMs,
  );
  if (!matching.ok) return matching;

  const authentic = trust.tokens.authenticate(svid, domain, appendedAtMs);
  if (!authentic.ok) return authentic;
  const proven = trust.proofs.verify(proof);
  if (!proven.ok) return proven;

  const sender = svid.subject;
  const reading = readInboundData(inbound.type, inbound.data, sender);
  if (!reading.ok) return { ...reading, sender };
  const { event } = reading;
  const principal =
    event.type === 'task.started' && inbound.personToken !== undefined
      ? provePrincipal(inbound.personToken, event.data.principal.id, proof.keyThumbprint, trust, appendedAtMs)
      : undefined;
  if (principal?.ok === false) return { ...principal, sender };
  return {
    ok: true,
    admitted: {
      event,
      ceId: head.id,
      wireType: head.type,
      sender,
      proofKeyThumbprint: proof.keyThumbprint,
      svidSha256: svid.sha256,
      svidExpired,
      valueSha256: matching.valueSha256,
      appendedAtMs,
      ...(head.traceparent !== undefined && { traceparent: head.traceparent }),
      ...(principal !== undefined && { principalProof: principal.principalProof }),
    },
  };
}
