/** The auditor's HTTP interface, as an operator with the role `auditor`. Each read is itself recorded in the log. */
import { z } from 'zod';
import { MAX_LINE_BYTES } from '#bundle/export-lines.js';
import { CliError } from './failure.js';
import { LineTooLong, linesOf } from './lines.js';

const REQUEST_WITHIN_MS = 10_000;

const story = z.object({
  taskId: z.string(),
  steps: z.array(
    z.object({
      seq: z.int().nonnegative(),
      at: z.string(),
      type: z.string(),
      by: z.string(),
      line: z.string(),
    }),
  ),
  truncated: z.boolean(),
  text: z.string(),
});
/** What the log says of a task, in order; `seq` is a step's place in the log. */
export type Story = z.infer<typeof story>;

const entry = z.object({ leaf: z.base64() });
const checked = z.object({ absent: z.array(z.string()), differ: z.array(z.string()) });
const problem = z.object({ code: z.string(), detail: z.string() });

export class AuditorClient {
  readonly #address: string;
  readonly #token: () => Promise<string>;

  /** @param token gives a JWT-SVID with the audience `mayfly` */
  constructor(address: string, token: () => Promise<string>) {
    this.#address = address;
    this.#token = token;
  }

  /** @returns undefined while the log knows no such task. */
  async story(taskId: string): Promise<Story | undefined> {
    const response = await this.#get(`/v1/tasks/${taskId}/story`);
    if (response.status === 404) return undefined;
    return story.parse(await jsonOf(response));
  }

  /** The exact bytes of an entry, as hashed into the log. */
  async leaf(seq: number): Promise<Buffer> {
    const { leaf } = entry.parse(await jsonOf(await this.#get(`/v1/entries/${seq}`)));
    return Buffer.from(leaf, 'base64');
  }

  /** The entry's inclusion proof (C2SP tlog-proof); undefined until a signed checkpoint covers it. Nothing is verified. */
  async proof(seq: number): Promise<string | undefined> {
    const response = await this.#get(`/v1/entries/${seq}/proof`);
    if (response.status === 503) return undefined;
    if (!response.ok) throw await problemOf(response);
    return response.text();
  }

  /** Whether the log has these decisions as they are kept. @param decisions by `ce_id`, with their data as JSON text; at most 500 */
  async checkDecisions(
    decisions: readonly { id: string; data: string }[],
  ): Promise<{ absent: string[]; differ: string[] }> {
    const members = decisions.map(({ id, data }) => `{"id":${JSON.stringify(id)},"data":${data}}`);
    const body = `{"decisions":[${members.join(',')}]}`;
    return checked.parse(await jsonOf(await this.#ask('/v1/decisions/check', { method: 'POST', body })));
  }

  /** The lines of `#bundle/export-lines.js`, as they come. Nothing is verified. */
  async export(range: {
    from: number;
    to?: number;
    since?: number;
    cosigned?: number;
  }): Promise<AsyncIterable<Buffer[]>> {
    const response = await this.#begin('/v1/exports', { method: 'POST', body: JSON.stringify(range) });
    if (!response.ok) throw await problemOf(response);
    return this.#linesIn(response);
  }

  async *#linesIn({ body }: Response): AsyncGenerator<Buffer[]> {
    try {
      if (body !== null) yield* linesOf(body, MAX_LINE_BYTES);
    } catch (cause) {
      const what = cause instanceof LineTooLong ? 'no export' : 'an export that broke off';
      throw new CliError('ERR_CLI_ANSWER', `what came from the auditor at ${this.#address} is ${what}`, {
        cause,
      });
    }
  }

  /** As `#ask`, but only for the answer to begin: it may be long. */
  async #begin(path: string, request: { method: string; body: string }): Promise<Response> {
    const waiting = new AbortController();
    const timer = setTimeout(() => waiting.abort(), REQUEST_WITHIN_MS);
    try {
      return await this.#send(path, request, waiting.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #get(path: string): Promise<Response> {
    return this.#ask(path);
  }

  #ask(path: string, request: { method?: string; body?: string } = {}): Promise<Response> {
    return this.#send(path, request, AbortSignal.timeout(REQUEST_WITHIN_MS));
  }

  async #send(
    path: string,
    request: { method?: string; body?: string },
    signal: AbortSignal,
  ): Promise<Response> {
    const headers = { authorization: `Bearer ${await this.#token()}` };
    try {
      return await fetch(new URL(path, this.#address), {
        ...request,
        headers,
        signal,
      });
    } catch (cause) {
      throw new CliError('ERR_CLI_UNREACHABLE', `the auditor does not answer at ${this.#address}`, { cause });
    }
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  if (!response.ok) throw await problemOf(response);
  return response.json();
}

/** RFC 9457: `code` is stable, `detail` is for people. */
async function problemOf(response: Response): Promise<CliError> {
  const parsed = problem.safeParse(await response.json().catch(() => undefined));
  const said = parsed.success ? `${parsed.data.code}: ${parsed.data.detail}` : 'no reason given';
  return new CliError('ERR_CLI_ANSWER', `the auditor answered ${response.status}: ${said}`);
}
