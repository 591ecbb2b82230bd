/** Events over HTTP: admitted like records, decided by the use case of the bus, answered with the outcome. */
import type { IncomingMessage } from 'node:http';
import type { InboundType } from '#events/inbound.js';
import { unreachable } from '#events/unreachable.js';
import { admit, type Admitted } from '#identity/admit.js';
import { transact } from '#store/database.js';
import type { Answer, CallOutcome } from '../answers.js';
import type { BrokerParts } from '../broker-parts.js';
import { callOutcomes } from '../call-rows.js';
import { AtOnce } from './at-once.js';
import type { EventPump } from './event-pump.js';
import { eventRecord } from './event-record.js';
import { refusalProblem, TransportError } from './problems.js';
import { readBody } from './read-body.js';
import { jose, json, problemReply, type Reply } from './reply.js';

const MAX_BODY_BYTES = 65_536;
/** Below what the server takes of connections, so that health is answered beside them. */
const AT_ONCE = 200;
const AT_ONCE_OF_ONE_SENDER = 64;
export const ANSWER_WITHIN_MS = 10_000;

/** What the path says; `id` is a task's, or a lease's where it is renewed. */
export interface Asked {
  type: Extract<InboundType, 'task.started' | 'task.ended' | 'tool.called' | 'lease.renewal_requested'>;
  id?: string;
}

export interface EventRequestsParts {
  parts: BrokerParts;
  pump: EventPump;
  /** Whether nobody on the way could have read the SVID: then its plain audience will do. */
  isPrivate: (request: IncomingMessage) => boolean;
  answerWithinMs?: number;
}

export class EventRequests {
  readonly #all = new AtOnce(AT_ONCE);
  readonly #senders = new AtOnce(AT_ONCE_OF_ONE_SENDER);

  constructor(private readonly given: EventRequestsParts) {}

  /** @throws TransportError */
  async answer(request: IncomingMessage, asked: Asked): Promise<Reply> {
    const leave = this.#all.enter('');
    if (leave === undefined) throw new TransportError('ERR_BUSY', 'too many requests are being answered');
    try {
      return await this.#answer(request, asked);
    } finally {
      leave();
    }
  }

  async #answer(request: IncomingMessage, asked: Asked): Promise<Reply> {
    const { parts, pump, isPrivate } = this.given;
    const body = await readBody(request, MAX_BODY_BYTES);
    const record = eventRecord(request.rawHeaders, body, Date.now());
    const said = admit(record, parts.trust, isPrivate(request) ? 'bound_or_plain' : 'bound');
    if (!said.ok) {
      pump.note({ record, said });
      return problemReply(refusalProblem(said.refusal));
    }
    const { admitted } = said;
    if (!isAsked(admitted, asked))
      throw new TransportError('ERR_PATH_MISMATCH', 'the path is of another event');
    return await this.ofSender(admitted.sender, async () =>
      admitted.event.type === 'tool.called'
        ? callReply(admitted, await this.call(admitted, () => pump.take({ record, said })))
        : taskReply(admitted, await pump.take({ record, said })),
    );
  }

  /** @throws TransportError ERR_RATE_LIMITED */
  async ofSender<T>(sender: string, work: () => Promise<T>): Promise<T> {
    const leave = this.#senders.enter(sender);
    if (leave === undefined)
      throw new TransportError('ERR_RATE_LIMITED', 'too many requests of this sender are being answered');
    try {
      return await work();
    } finally {
      leave();
    }
  }

  /** Makes a call and waits for what it comes to. */
  async call(admitted: Admitted, make: () => Promise<Answer>): Promise<CallAnswer> {
    const { board, db } = this.given.parts;
    const key = keyOf(admitted);
    const seat = board.seat(key);
    try {
      const answer = await make();
      if (answer.is !== 'taken') return answer;
      if (answer.call?.state === 'pending')
        return (await seat.outcome(this.given.answerWithinMs ?? ANSWER_WITHIN_MS)) ?? { is: 'pending' };
      const [outcome] = await transact(db, (tx) => callOutcomes(tx, [key]));
      return outcome ?? { is: 'refused', code: 'ERR_LEASE_ENDED', reasons: ['nothing of this call is kept'] };
    } finally {
      seat.leave();
    }
  }
}

/** What its maker is told of a call. */
export type CallAnswer = Exclude<Answer, { is: 'taken' }> | CallOutcome | { is: 'pending' };

function keyOf({ event, sender }: Admitted) {
  if (event.type !== 'tool.called') throw new TypeError('not a call');
  return { taskId: event.data.taskId, agent: sender, callId: event.data.callId };
}

function isAsked({ event }: Admitted, { type, id }: Asked): boolean {
  if (event.type !== type) return false;
  const { data } = event;
  return id === undefined || id === ('leaseId' in data ? data.leaseId : data.taskId);
}

function taskReply({ event }: Admitted, answer: Answer): Reply {
  if (answer.is !== 'taken') return problemReply(refusalProblem(answer.refusal));
  const { taskId, generation, status } = answer.task;
  if (event.type === 'task.started') return json(201, { taskId, generation });
  // Heard before its start, it counts once the start is known.
  return json(status === 'unknown' ? 202 : 200, { taskId, state: status });
}

function callReply(admitted: Admitted, answer: CallAnswer): Reply {
  if (answer.is === 'issued') return jose(answer.envelope);
  const { taskId, callId } = keyOf(admitted);
  const { refusal, reasons } = refusalOf(answer);
  return problemReply(refusalProblem(refusal, { taskId, callId, reasons }));
}

type NoCredential = Exclude<CallAnswer, { is: 'issued' }>;

/** Why there is no credential; reasons as `call.refused` has them on the bus. */
export function refusalOf(answer: NoCredential): {
  refusal: Parameters<typeof refusalProblem>[0];
  reasons: readonly string[];
} {
  switch (answer.is) {
    case 'pending':
      return {
        refusal: { code: 'ERR_ANSWER_PENDING', reason: 'the outcome is not known yet: ask again' },
        reasons: [],
      };
    case 'rejected':
      return { refusal: answer.refusal, reasons: [answer.refusal.reason] };
    case 'refused': {
      if ('refusal' in answer) return { refusal: answer.refusal, reasons: [answer.refusal.reason] };
      const { code, reasons } = answer;
      return { refusal: { code, reason: reasons[0] ?? 'there is no credential' }, reasons };
    }
    default:
      return unreachable(answer);
  }
}
