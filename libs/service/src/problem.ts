/** Errors over HTTP: RFC 9457 problem details with a stable `code`. Details are constant text; nothing of the request is echoed. */
import { STATUS_CODES } from 'node:http';

export interface Problem {
  status: number;
  /** From a closed list of the service's, or of `FrameCode`. */
  code: string;
  detail: string;
  /** Further members of the body: names of parameters of ours, codes, ids that the caller gave and we checked. */
  fields?: Readonly<Record<string, unknown>>;
  headers?: Readonly<Record<string, string>>;
}

/** What every service says of requests that none of its routes took, and of failures of its own. */
export type FrameCode = 'ERR_NOT_FOUND' | 'ERR_REQUEST_INVALID' | 'ERR_INTERNAL';

export const PROBLEM_TYPE = 'application/problem+json';

export function problemBody({ status, code, detail, fields }: Problem): string {
  const title = STATUS_CODES[status];
  return JSON.stringify({ type: 'about:blank', title, status, code, detail, ...fields });
}

export const problemHeaders = ({ headers }: Problem): Record<string, string> => ({
  'Cache-Control': 'no-store',
  ...headers,
});

interface Response {
  headersSent: boolean;
  status(code: number): Response;
  set(headers: Record<string, string>): Response;
  type(contentType: string): Response;
  send(body: string): unknown;
}

/** A global exception filter of Nest, by shape. */
export class ProblemFilter {
  /** @param own the problem that an error of the service's own is; undefined for any other. */
  constructor(
    private readonly logError: (fields: object, message: string) => void,
    private readonly own: (error: unknown) => Problem | undefined = () => undefined,
  ) {}

  catch(error: unknown, host: { switchToHttp(): { getResponse<T>(): T } }): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) return;
    const readiness = readinessOf(error);
    if (readiness !== undefined) {
      response.status(503).type('application/json').send(JSON.stringify(readiness));
      return;
    }
    const problem = this.own(error) ?? frameProblem(error);
    if (problem.code === 'ERR_INTERNAL') this.logError({ err: error }, 'a request failed');
    response
      .status(problem.status)
      .set(problemHeaders(problem))
      .type(PROBLEM_TYPE)
      .send(problemBody(problem));
  }
}

interface NestError {
  getStatus(): number;
  getResponse(): unknown;
}
const isNestError = (error: unknown): error is NestError =>
  error instanceof Error && 'getStatus' in error && 'getResponse' in error;

/** The answer of `GET /health/ready` is no problem document, but a body of its own. */
function readinessOf(error: unknown): object | undefined {
  const body = isNestError(error) ? error.getResponse() : undefined;
  return typeof body === 'object' && body !== null && 'reasons' in body ? body : undefined;
}

/** Nest's and Express's own refusals of a request carry a status below 500; everything else is our failure. */
export function frameProblem(error: unknown): Problem & { code: FrameCode } {
  const status = isNestError(error)
    ? error.getStatus()
    : (error as { status?: number } | undefined | null)?.status;
  if (status === 404) return { status, code: 'ERR_NOT_FOUND', detail: 'there is nothing at this path' };
  if (status !== undefined && status >= 400 && status < 500)
    return { status: 400, code: 'ERR_REQUEST_INVALID', detail: 'the request cannot be read' };
  return {
    status: 500,
    code: 'ERR_INTERNAL',
    detail: 'the request failed; the log of the service says why',
  };
}
