/** Plans of tokens, for integration specs. */
import { v7 as uuidv7 } from 'uuid';
import type { JwtSettings } from '#providers/jwt/settings.js';
import type { Plan } from '#providers/provider.js';
import { AGENT, inMs } from './broker-voice.contract.js';

/** The service that takes tokens. */
export const TOKENS: JwtSettings = {
  id: 'orders-api',
  provider: 'jwt',
  maxTtlMs: 300_000,
  audience: 'https://orders.example',
};
export const LISTS = 'https://mayfly.example/status';

/** Of a token of the task's first generation, in a status list. */
export function tokenPlan(taskId: string, idx: number, change: Partial<Plan> = {}, list = 0): Plan {
  const leaseId = uuidv7();
  return {
    ...{ leaseId, provider: 'jwt', target: TOKENS.id, principal: leaseId, rights: ['read'] },
    ...{ createBy: inMs(55_000), notAfter: inMs(240_000), hardEnd: inMs(600_000) },
    token: {
      ...{ audience: TOKENS.audience, subject: 'user:maria@corp.example', agent: AGENT, jkt: 'A'.repeat(43) },
      ...{ task: taskId, tool: 'orders.api', actions: ['read'], act: { sub: AGENT } },
      lineage: [{ taskId, generation: 1 }],
      status: { uri: `${LISTS}/${list}`, idx },
    },
    ...change,
  };
}
