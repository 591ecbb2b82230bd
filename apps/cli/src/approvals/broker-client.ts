/** The broker's approvals over HTTP, as a person who has signed in. */
import { z } from 'zod';
import { CliError } from '../failure.js';

const REQUEST_WITHIN_MS = 10_000;

const approval = z.object({
  approvalId: z.string(),
  taskId: z.string(),
  callId: z.string(),
  agent: z.string(),
  tool: z.string(),
  dataset: z.string().optional(),
  action: z.string(),
  approval: z.string(),
  needed: z.int(),
  grants: z.array(z.string()),
  state: z.string(),
  callDigest: z.string(),
  expiresAt: z.string(),
  binds: z.object({
    what: z.enum(['this_call', 'these_rights']),
    argumentsSha256: z.string().optional(),
    rights: z.array(z.string()),
    seconds: z.int(),
  }),
  reasons: z.array(z.string()),
});
export type ShownApproval = z.infer<typeof approval>;
const page = z.object({ approvals: z.array(approval), next: z.string().optional() });
const problem = z.object({ code: z.string(), detail: z.string() });

export class BrokerClient {
  constructor(
    private readonly address: string,
    private readonly token: () => Promise<string>,
  ) {}

  /** Page by page, to the end. @param state all, where there is none */
  async list(state: string | undefined): Promise<ShownApproval[]> {
    const found: ShownApproval[] = [];
    for (let after: string | undefined; ;) {
      const query = new URLSearchParams({
        ...(state === undefined ? {} : { state }),
        ...(after === undefined ? {} : { after }),
      });
      const { approvals, next } = page.parse(await this.#ask('GET', `?${query.toString()}`));
      found.push(...approvals);
      if (next === undefined) return found;
      after = next;
    }
  }

  async one(id: string): Promise<ShownApproval> {
    return approval.parse(await this.#ask('GET', `/${encodeURIComponent(id)}`));
  }

  async answer(id: string, verb: 'grant' | 'refuse' | 'withdraw', body: object): Promise<ShownApproval> {
    return approval.parse(await this.#ask('POST', `/${encodeURIComponent(id)}/${verb}`, body));
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    let response: Response;
    try {
      response = await fetch(new URL(`/v1/approvals${path}`, this.address), {
        method,
        headers: { authorization: `Bearer ${await this.token()}` },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(REQUEST_WITHIN_MS),
      });
    } catch (cause) {
      throw new CliError('ERR_CLI_UNREACHABLE', `the broker does not answer at ${this.address}`, { cause });
    }
    const said: unknown = await response.json().catch(() => undefined);
    if (response.ok) return said;
    const parsed = problem.safeParse(said);
    const why = parsed.success ? `${parsed.data.code}: ${parsed.data.detail}` : 'no reason given';
    throw new CliError('ERR_CLI_ANSWER', `the broker answered ${response.status}: ${why}`);
  }
}
