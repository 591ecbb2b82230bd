/** Errors over HTTP: RFC 9457 problem details with a stable `code`. Details are constant text; nothing of the request is echoed. */
import { STATUS_CODES } from 'node:http';

export type ProblemCode =
  | 'ERR_UNAUTHENTICATED'
  | 'ERR_FORBIDDEN'
  | 'ERR_RATE_LIMITED'
  | 'ERR_PARAMETER_UNKNOWN'
  | 'ERR_PARAMETER_INVALID'
  | 'ERR_ENTRY_NOT_FOUND'
  | 'ERR_ENTRY_NOT_COVERED'
  | 'ERR_TASK_NOT_FOUND'
  | 'ERR_NO_CHECKPOINT'
  | 'ERR_NOT_FOUND'
  | 'ERR_REQUEST_INVALID'
  | 'ERR_INTERNAL';

const STATUS: Record<ProblemCode, number> = {
  ERR_UNAUTHENTICATED: 401,
  ERR_FORBIDDEN: 403,
  ERR_RATE_LIMITED: 429,
  ERR_PARAMETER_UNKNOWN: 400,
  ERR_PARAMETER_INVALID: 400,
  ERR_ENTRY_NOT_FOUND: 404,
  ERR_ENTRY_NOT_COVERED: 503,
  ERR_TASK_NOT_FOUND: 404,
  ERR_NO_CHECKPOINT: 503,
  ERR_NOT_FOUND: 404,
  ERR_REQUEST_INVALID: 400,
  ERR_INTERNAL: 500,
};
const HEADERS: Partial<Record<ProblemCode, Record<string, string>>> = {
  ERR_UNAUTHENTICATED: { 'WWW-Authenticate': 'Bearer realm="mayfly"' },
  ERR_RATE_LIMITED: { 'Retry-After': '1' },
  ERR_ENTRY_NOT_COVERED: { 'Retry-After': '1' },
  ERR_NO_CHECKPOINT: { 'Retry-After': '1' },
};

export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly code: ProblemCode,
    detail: string,
    /** Further members of the body: names of parameters of ours, codes. */
    readonly fields: Record<string, string> = {},
  ) {
    super(detail);
  }
}

interface Response {
  headersSent: boolean;
  status(code: number): Response;
  set(headers: Record<string, string>): Response;
  type(contentType: string): Response;
  send(body: string): unknown;
}

/** A global exception filter of Nest, by shape. */
export class ProblemFilter {
  constructor(private readonly logError: (fields: object, message: string) => void) {}

  catch(error: unknown, host: { switchToHttp(): { getResponse<T>(): T } }): void {
    const response = host.switchToHttp().getResponse<Response>();
    if (response.headersSent) return;
    const readiness = readinessOf(error);
    if (readiness !== undefined) {
      response.status(503).type('application/json').send(JSON.stringify(readiness));
      return;
    }
    const problem = problemOf(error);
    if (problem.code === 'ERR_INTERNAL') this.logError({ err: error }, 'a request failed');
    const status = STATUS[problem.code];
    const title = STATUS_CODES[status];
    const body = { type: 'about:blank', title, status, code: problem.code, detail: problem.message };
    response
      .status(status)
      .set({ 'Cache-Control': 'no-store', ...HEADERS[problem.code] })
      .type('application/problem+json')
      .send(JSON.stringify({ ...body, ...problem.fields }));
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
function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  const { status } = {
    status: isNestError(error) ? error.getStatus() : (error as { status?: number }).status,
  };
  if (status === 404) return new ProblemError('ERR_NOT_FOUND', 'there is nothing at this path');
  if (status !== undefined && status >= 400 && status < 500)
    return new ProblemError('ERR_REQUEST_INVALID', 'the request cannot be read');
  return new ProblemError('ERR_INTERNAL', 'the request failed; the log of the service says why');
}
