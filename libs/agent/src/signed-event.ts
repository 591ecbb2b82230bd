/**
 * An outgoing task event, complete: CloudEvents headers, the sender's SVID, and the proof that binds this record to the
 * sender's key (docs/design/events, "Headers"). Nothing is sent here.
 */
import { createHash } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { OutgoingRecord } from '#bus/bus.js';
import { HEADERS, writeHeaders } from '#events/envelope.js';
import { inboundSchemas, wireType } from '#events/inbound.js';
import type { InboundData, InboundType } from '#events/inbound.js';
import { TASK_EVENTS } from '#events/topics.js';
import { AgentError } from './agent-error.js';
import type { ProofKey } from './proof-key.js';

const sha256Hex = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');

export interface EventToSign<T extends InboundType = InboundType> {
  /** Short type: `tool.called`. */
  type: T;
  data: InboundData<T>;
  /** The sender's JWT-SVID, whose single audience is `mayfly:jkt:<thumbprint of key>`. */
  svid: string;
  key: ProofKey;
  /** UUIDv7; a new one by default. Sending an event again takes the same id and the same data. */
  id?: string;
  topic?: string;
  /** SPIFFE id of the sender, where its token has another subject: an OIDC token's. */
  source?: string;
  /** An OIDC token of the person on whose behalf the task runs. */
  principalToken?: string;
  traceparent?: string;
  /** Epoch ms; the record must reach the bus within 60 s of it. */
  nowMs?: number;
}

/**
 * @throws ZodError when the data breaks the schema of its type, before anything is signed.
 * @throws AgentError ERR_SVID_MALFORMED when the SVID has no subject.
 */
export function signEvent<T extends InboundType>(event: EventToSign<T>): OutgoingRecord {
  const { type, data, svid, key, topic = TASK_EVENTS, nowMs = Date.now() } = event;
  inboundSchemas[type].parse(data);
  const id = event.id ?? uuidV7();
  const value = Buffer.from(JSON.stringify(data));
  const proof = key.signJws(
    { typ: 'mayfly-proof+jwt', jwk: key.publicJwk },
    {
      topic,
      key: data.taskId,
      ce_id: id,
      ce_type: wireType(type),
      value_sha256: sha256Hex(value),
      svid_sha256: sha256Hex(svid),
      iat: Math.floor(nowMs / 1000),
    },
  );
  return {
    topic,
    key: data.taskId,
    value,
    headers: {
      ...writeHeaders({
        id,
        source: event.source ?? subjectOf(svid),
        type: wireType(type),
        subject: data.taskId,
        time: new Date(nowMs).toISOString(),
        contentType: 'application/json',
        ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
      }),
      [HEADERS.svid]: svid,
      [HEADERS.proof]: proof,
      ...(event.principalToken === undefined ? {} : { [HEADERS.principal]: event.principalToken }),
    },
  };
}

/** The subject of a JWT. Reads, and verifies nothing: the token is our own, and Mayfly verifies it. @throws AgentError ERR_SVID_MALFORMED */
export function subjectOf(jwt: string): string {
  try {
    const claims = JSON.parse(Buffer.from(jwt.split('.')[1] ?? '', 'base64url').toString()) as {
      sub?: unknown;
    };
    if (typeof claims.sub === 'string') return claims.sub;
  } catch {
    // Falls through: a parser's message would quote the token.
  }
  throw new AgentError('ERR_SVID_MALFORMED', 'the SVID is no JWT with a subject');
}
