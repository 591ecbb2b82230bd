/** Approvals over HTTP: what waits, and what people say of it. */
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { Answer } from '#events/approval.js';
import { uuidV7 } from '#events/inbound.js';
import type { ApprovalDesk } from '../../approvals/approval-desk.js';
import { refusalProblem, TransportError } from '../problems.js';
import { readBody } from '../read-body.js';
import { json, problemReply, type Reply } from '../reply.js';
import { answerSignedIn, type SignedInParts } from '../signed-in.js';
import { approvalView } from './approval-view.js';
import { mayRead } from './caller.js';

export interface ApprovalRequestsParts extends SignedInParts {
  desk: ApprovalDesk;
}

const MAX_BODY_BYTES = 4_096;
const PAGE = 50;
const PAGE_MAX = 200;

const reason = z.string().trim().min(1).max(1_024);
const bodies = {
  grant: z.strictObject({
    callDigest: z.string().max(128),
    reason: reason.optional(),
    breakGlass: z.strictObject({ reason }).optional(),
  }),
  refuse: z.strictObject({ reason: reason.optional() }),
  withdraw: z.strictObject({ reason: reason.optional() }),
};
const query = z.strictObject({
  state: z.enum(['open', 'consumed', 'refused', 'expired', 'withdrawn']).optional(),
  after: uuidV7.optional(),
  limit: z.coerce.number().int().min(1).max(PAGE_MAX).default(PAGE),
});

export class ApprovalRequests {
  constructor(private readonly given: ApprovalRequestsParts) {}

  /** By age; `next` is there where more may follow. */
  list(request: IncomingMessage, asked: Record<string, unknown>): Promise<Reply> {
    return this.#reading(request, async () => {
      const read = query.safeParse(asked);
      if (!read.success) throw new TransportError('ERR_PARAMETER_INVALID', 'a parameter cannot be');
      const { state, after, limit } = read.data;
      const found = await this.given.desk.list({ status: state, after, limit });
      const next = found.length === limit ? found.at(-1)?.requested.approvalId : undefined;
      return json(200, { approvals: found.map(approvalView), ...(next === undefined ? {} : { next }) });
    });
  }

  one(request: IncomingMessage, id: string): Promise<Reply> {
    return this.#reading(request, async () => {
      const found = await this.given.desk.one(id);
      if (found !== null) return json(200, approvalView(found));
      return problemReply(
        refusalProblem({ code: 'ERR_APPROVAL_UNKNOWN', reason: 'there is no such approval' }),
      );
    });
  }

  answer(request: IncomingMessage, id: string, is: Answer['is']): Promise<Reply> {
    return answerSignedIn(this.given, 'approvals', request, async (by) => {
      const answered = await this.given.desk.answer(id, await readAnswer(request, is, by));
      return answered.is === 'taken'
        ? json(200, approvalView(answered.approval))
        : problemReply(refusalProblem(answered.refusal));
    });
  }

  #reading(request: IncomingMessage, read: () => Promise<Reply>): Promise<Reply> {
    return answerSignedIn(this.given, 'approvals', request, (id) =>
      mayRead(id, this.given.parts.catalogue)
        ? read()
        : Promise.resolve(
            problemReply(
              refusalProblem({
                code: 'ERR_NOT_ENTITLED',
                reason: 'approvals are shown to approvers and operators',
              }),
            ),
          ),
    );
  }
}

async function readAnswer(request: IncomingMessage, is: Answer['is'], by: string): Promise<Answer> {
  const body = await readBody(request, MAX_BODY_BYTES);
  const read = bodies[is].safeParse(jsonOf(body));
  if (!read.success)
    throw new TransportError('ERR_PARAMETER_INVALID', 'the body is not what is asked for here');
  if (is !== 'grant') return { is, by, reason: read.data.reason };
  const { callDigest, reason, breakGlass } = read.data as z.infer<typeof bodies.grant>;
  return { is, by, callDigest, reason, breakGlass: breakGlass?.reason };
}

/** Nothing said is an empty object. */
function jsonOf(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
