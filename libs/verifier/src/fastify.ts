/** A Fastify hook, for `preHandler`. By its shape alone: this library does not depend on Fastify. */
import { answerTo, checkRequest, type PresentedRequest, type ProtectSettings } from './protect.js';
import type { Accepted } from './verifier.js';

export interface FastifyRequest extends PresentedRequest {
  /** As it came, unless the server rewrites URLs. */
  originalUrl: string;
  mayfly?: Accepted;
}
export interface FastifyReply {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

/** As `preHandler`, since only then the body has been parsed. */
export const protect =
  <Request extends FastifyRequest>(settings: ProtectSettings<Request>) =>
  async (request: Request, reply: FastifyReply): Promise<unknown> => {
    const verdict = await checkRequest(settings, request, request, request.originalUrl);
    if (verdict.ok) {
      request.mayfly = verdict;
      return undefined;
    }
    const { status, headers, problem } = answerTo(verdict);
    reply.code(status);
    reply.headers(headers);
    reply.send(JSON.stringify(problem));
    // So Fastify waits until it is sent, and runs no handler; else one would run while hooks of others still work on the answer.
    return reply;
  };
