/** The broker's approvals over HTTP. */
import { z } from 'zod';
import type { ServiceDoor } from '../service-door.js';

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

export class BrokerClient {
  constructor(private readonly door: ServiceDoor) {}

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

  #ask(method: 'GET' | 'POST', path: string, body?: object): Promise<unknown> {
    return this.door.ask(method, `/v1/approvals${path}`, body);
  }
}
