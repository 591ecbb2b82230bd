/** AuthZEN's endpoints: evaluations by the engine that decides calls, on the facts of this moment. */
import type { IncomingMessage } from 'node:http';
import { frameProblem } from '#service/problem.js';
import type { BrokerParts } from '../../broker-parts.js';
import { evaluateActs, type Act } from '../../evaluate-acts.js';
import type { Route } from '../../measures.js';
import { bearerOf } from '../bearer.js';
import { refusalProblem } from '../problems.js';
import { readBody } from '../read-body.js';
import { json, problemReply, problemReplyOf, type Reply } from '../reply.js';
import type { RequestsAtOnce } from '../requests-at-once.js';
import { answered, replyTo, UNREADABLE, type EvaluationReply } from './evaluation-reply.js';
import { readEvaluation, readEvaluations } from './evaluation-request.js';

const MAX_BODY_BYTES = 65_536;
/** An id of the caller's for its own logs; it is given back, so it must be harmless in a header. */
const REQUEST_ID = /^[\w.:-]{1,128}$/;

export interface AuthzenParts {
  parts: BrokerParts;
  atOnce: RequestsAtOnce;
  isPrivate: (request: IncomingMessage) => boolean;
  /** How others know this broker; null: it has no name for them. */
  issuer: string | null;
}

export class AuthzenServer {
  constructor(private readonly given: AuthzenParts) {}

  evaluation(request: IncomingMessage): Promise<Reply> {
    return this.#reply('evaluation', request, async (body, asks) => {
      const [reply] = await this.#decide([readEvaluation(body)], asks);
      return reply ?? UNREADABLE;
    });
  }

  evaluations(request: IncomingMessage): Promise<Reply> {
    return this.#reply('evaluations', request, async (body, asks) => {
      const asked = readEvaluations(body);
      if (!('acts' in asked)) return (await this.#decide([asked], asks))[0] ?? UNREADABLE;
      const readable = asked.acts.filter((act) => act !== null);
      const decided = await this.#decide(readable, asks);
      const replies = asked.acts.map((act) => (act === null ? UNREADABLE : (decided.shift() ?? UNREADABLE)));
      return { evaluations: answered(replies, asked.semantic) };
    });
  }

  /** What a policy enforcement point can know of this decision point (§9). */
  metadata(): Reply {
    const { issuer } = this.given;
    if (issuer === null) return problemReply(frameProblem({ status: 404 }));
    const endpoints = {
      policy_decision_point: issuer,
      access_evaluation_endpoint: `${issuer}/access/v1/evaluation`,
      access_evaluations_endpoint: `${issuer}/access/v1/evaluations`,
    };
    return json(200, endpoints, { 'Cache-Control': 'public, max-age=300' });
  }

  async #decide(acts: readonly Act[], asks: string): Promise<EvaluationReply[]> {
    return (await evaluateActs(acts, asks, this.given.parts)).map(replyTo);
  }

  async #reply(
    route: Route,
    request: IncomingMessage,
    answer: (body: Buffer, asks: string) => Promise<object>,
  ): Promise<Reply> {
    const beganMs = performance.now();
    let status = 500;
    try {
      const reply = await this.given.atOnce
        .answering(() => this.#answer(request, answer))
        .catch(problemReplyOf);
      status = reply.status;
      const id = request.headers['x-request-id'];
      return typeof id === 'string' && REQUEST_ID.test(id)
        ? { ...reply, headers: { ...reply.headers, 'X-Request-ID': id } }
        : reply;
    } finally {
      this.given.parts.measures.answered(route, status, performance.now() - beganMs);
    }
  }

  async #answer(
    request: IncomingMessage,
    answer: (body: Buffer, asks: string) => Promise<object>,
  ): Promise<Reply> {
    const { parts, isPrivate, atOnce } = this.given;
    const body = await readBody(request, MAX_BODY_BYTES);
    const caller = bearerOf(request, { trust: parts.trust, isPrivate });
    if (!caller.ok) return problemReply(refusalProblem(caller.refusal));
    return await atOnce.ofSender(caller.id, async () => json(200, await answer(body, caller.id)));
  }
}
