/** Express middleware. By its shape alone: this library does not depend on Express. */
import { answerTo, checkRequest, type PresentedRequest, type ProtectSettings } from './protect.js';
import type { Accepted } from './verifier.js';

export interface ExpressRequest extends PresentedRequest {
  originalUrl: string;
  /** Set for whoever comes after. */
  mayfly?: Accepted;
}
export interface ExpressResponse {
  status(code: number): unknown;
  setHeader(name: string, value: string): unknown;
  end(body: string): unknown;
}

/** Put it behind the body parser where tokens are bound to arguments, and before the handler. */
export const protect =
  <Request extends ExpressRequest>(settings: ProtectSettings<Request>) =>
  async (request: Request, response: ExpressResponse, next: (error?: unknown) => void): Promise<void> => {
    try {
      const verdict = await checkRequest(settings, request, request, request.originalUrl);
      if (!verdict.ok) {
        const { status, headers, problem } = answerTo(verdict);
        response.status(status);
        for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
        response.end(JSON.stringify(problem));
        return;
      }
      request.mayfly = verdict;
    } catch (error) {
      // Express 4 does not look at promises: what is thrown here would leave the request without an answer.
      return next(error);
    }
    next();
  };
