/** What a service says of a token's use: `tool.completed`, signed with its own identity. Nothing is sent here. */
import type { OutgoingRecord } from '#bus/bus.js';
import type { ProofKey } from '#agent/proof-key.js';
import { signEvent } from '#agent/signed-event.js';
import type { Accepted } from './verifier.js';

export interface Use {
  /** UUIDv7. The token does not carry it, so it is what the caller says: the lease is what counts. */
  callId: string;
  outcome: 'ok' | 'error' | 'refused';
  rows?: number;
}

export interface ReporterIdentity {
  /** The service's own JWT-SVID, whose single audience is `mayfly:jkt:<thumbprint of key>`. */
  svid: string;
  key: ProofKey;
}

/** For `Bus.publish`, within 60 s. The service MUST be a tool or a verifier of the catalogue to be believed. @throws ZodError for a malformed `callId` */
export const reportUse = (
  { task: taskId, lease: leaseId }: Accepted,
  { callId, outcome, rows }: Use,
  { svid, key }: ReporterIdentity,
): OutgoingRecord =>
  signEvent({
    type: 'tool.completed',
    data: { taskId, callId, leaseId, outcome, ...(rows === undefined ? {} : { rows }) },
    svid,
    key,
  });
