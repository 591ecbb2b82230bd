/** Requests of people who have signed in, and of services by their SVIDs: counted, bounded, and only on a way that nobody else reads. */
import type { IncomingMessage } from 'node:http';
import type { BrokerParts } from '../broker-parts.js';
import type { Route } from '../measures.js';
import { callerOf } from './approvals/caller.js';
import { refusalProblem, TransportError } from './problems.js';
import { problemReply, problemReplyOf, type Reply } from './reply.js';
import type { RequestsAtOnce } from './requests-at-once.js';

export interface SignedInParts {
  parts: BrokerParts;
  atOnce: RequestsAtOnce;
  isPrivate: (request: IncomingMessage) => boolean;
}

/** @param work is told who asks: authenticated, and nothing more. */
export async function answerSignedIn(
  given: SignedInParts,
  route: Route,
  request: IncomingMessage,
  work: (id: string) => Promise<Reply>,
): Promise<Reply> {
  const { parts, atOnce } = given;
  const beganMs = performance.now();
  let status = 500;
  try {
    const reply = await atOnce.answering(() => authenticated(given, request, work)).catch(problemReplyOf);
    status = reply.status;
    return reply;
  } finally {
    parts.measures.answered(route, status, performance.now() - beganMs);
  }
}

function authenticated(
  { parts, isPrivate, atOnce }: SignedInParts,
  request: IncomingMessage,
  work: (id: string) => Promise<Reply>,
): Promise<Reply> {
  if (!isPrivate(request)) throw new TransportError('ERR_TLS_REQUIRED', 'tokens are told over TLS alone');
  const caller = callerOf(request, parts.trust, Date.now());
  if (!caller.ok) return Promise.resolve(problemReply(refusalProblem(caller.refusal)));
  return atOnce.ofSender(caller.id, () => work(caller.id));
}
