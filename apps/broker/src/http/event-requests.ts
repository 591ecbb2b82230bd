/** Events over HTTP: admitted like records, decided by the use case of the bus, answered with the outcome. */
import type { IncomingMessage } from 'node:http';
import type { InboundType } from '#events/inbound.js';
import type { Refusal } from '#events/refusal.js';
import { admit, type Admission, type Admitted } from '#identity/admit.js';
import type { Read } from '#store/readings.js';
import type { Answer } from '../answers.js';
import type { BrokerParts } from '../broker-parts.js';
import { pendingReply } from './approvals/approval-view.js';
import { refusalOf } from './answer-refusal.js';
import { answerCall, keyOf, type CallAnswer } from './call-answer.js';
import { answerRenewal, type RenewalAnswer } from './renewal-answer.js';
import type { EventPump } from './event-pump.js';
import { eventRecord } from './event-record.js';
import { refusalProblem, TransportError } from './problems.js';
import { readBody } from './read-body.js';
import { jose, json, problemReply, problemReplyOf, type Reply } from './reply.js';
import type { RequestsAtOnce } from './requests-at-once.js';

const MAX_BODY_BYTES = 65_536;

/** What the path says; `id` is a task's, or a lease's where it is renewed. */
export interface Asked {
  type: Extract<
    InboundType,
    'task.started' | 'task.amended' | 'task.ended' | 'tool.called' | 'lease.renewal_requested'
  >;
  id?: string;
}

export interface EventRequestsParts {
  parts: BrokerParts;
  pump: EventPump;
  atOnce: RequestsAtOnce;
  /** Whether nobody on the way could have read the SVID: then its plain audience will do. */
  isPrivate: (request: IncomingMessage) => boolean;
  answerWithinMs: number;
}

export class EventRequests {
  constructor(private readonly given: EventRequestsParts) {}

  /** @throws what is a failure of ours */
  async answer(request: IncomingMessage, asked: Asked): Promise<Reply> {
    const { parts, atOnce } = this.given;
    const beganMs = performance.now();
    let status = 500;
    try {
      const reply = await atOnce.answering(() => this.#answer(request, asked)).catch(problemReplyOf);
      status = reply.status;
      return reply;
    } finally {
      parts.measures.answered(asked.type, status, performance.now() - beganMs);
    }
  }

  async #answer(request: IncomingMessage, asked: Asked): Promise<Reply> {
    const { parts, pump, isPrivate, atOnce } = this.given;
    const body = await readBody(request, MAX_BODY_BYTES);
    const record = eventRecord(request.rawHeaders, body, Date.now());
    const said = admit(record, parts.trust, isPrivate(request) ? 'bound_or_plain' : 'bound');
    if (!said.ok) {
      pump.note({ record, said });
      return problemReply(refusalProblem(said.refusal));
    }
    if (!isAsked(said.admitted, asked))
      throw new TransportError('ERR_PATH_MISMATCH', 'the path is of another event');
    return await atOnce.ofSender(said.admitted.sender, () => this.#replyTo(said.admitted, { record, said }));
  }

  async #replyTo({ event, sender }: Admitted, read: Read<Admission>): Promise<Reply> {
    const { parts, pump, answerWithinMs } = this.given;
    if (event.type === 'lease.renewal_requested') {
      const answer = await answerRenewal(parts, () => pump.take(read), answerWithinMs);
      return renewalReply(event.data, answer);
    }
    if (event.type !== 'tool.called') return taskReply(event.type, await pump.take(read));
    const key = keyOf(event.data, sender);
    const answer = await answerCall(parts, key, () => pump.take(read), answerWithinMs);
    return callReply(event.data, answer);
  }
}

function isAsked({ event }: Admitted, { type, id }: Asked): boolean {
  if (event.type !== type) return false;
  const { data } = event;
  return (
    id === undefined || id === (event.type === 'lease.renewal_requested' ? event.data.leaseId : data.taskId)
  );
}

function taskReply(type: InboundType, answer: Answer): Reply {
  if (answer.is !== 'taken') return problemReply(refusalProblem(answer.refusal, problemsIn(answer.refusal)));
  const { taskId, generation, status } = answer.task;
  if (type === 'task.started') return json(201, { taskId, generation });
  if (type === 'task.amended') return json(200, { taskId, generation, state: status });
  // `unknown`: heard before its start, it counts once the start is known.
  return json(200, { taskId, state: status });
}

/** All that is wrong with a declaration; `reasons` for whoever reads those of a call. */
const problemsIn = ({ problems }: Refusal) =>
  problems === undefined ? {} : { problems, reasons: problems.map(({ reason }) => reason) };

function callReply({ taskId, callId }: { taskId: string; callId: string }, answer: CallAnswer): Reply {
  if (answer.is === 'issued') return jose(answer.envelope);
  if (answer.is === 'waiting') return pendingReply(answer.approval);
  const { refusal, reasons } = refusalOf(answer);
  return problemReply(refusalProblem(refusal, { taskId, callId, reasons }));
}

function renewalReply(
  { taskId, leaseId }: { taskId: string; leaseId: string },
  answer: RenewalAnswer,
): Reply {
  if (answer.is === 'renewed') {
    const { notAfter, envelope } = answer;
    return json(200, { taskId, leaseId, notAfter, ...(envelope === null ? {} : { envelope }) });
  }
  const { refusal, reasons } = refusalOf(answer);
  return problemReply(refusalProblem(refusal, { taskId, leaseId, reasons }));
}
