/** What of each event of orchestrators and agents may stand in a leaf: as in `rules.ts`. */
import type { InboundData, InboundType } from '#events/inbound.js';
import { declared } from './declaration-rules.js';
import type { RuleFor } from './project.js';

export const inboundRules: { readonly [T in InboundType]: RuleFor<InboundData<T>> } = {
  'task.started': {
    of: {
      taskId: 'plain',
      purpose: 'sealed',
      objectiveSha256: 'digest',
      principal: { of: { id: 'person', kind: 'plain' } },
      agents: { each: { of: { id: 'id' } } },
      declared,
      deadline: 'plain',
      risk: 'plain',
      parent: { of: { taskId: 'plain' } },
      delegable: declared,
      limits: { of: { maxCalls: 'plain', maxRows: 'plain', maxCallsPerMinute: 'plain' } },
      agentsMayEnd: 'plain',
      labels: 'sealed',
    },
  },
  'task.amended': {
    of: { taskId: 'plain', declared, deadline: 'plain', rekey: 'id', reason: 'sealed' },
  },
  'task.ended': { of: { taskId: 'plain', outcome: 'plain', reason: 'sealed' } },
  'tool.called': {
    of: {
      taskId: 'plain',
      callId: 'plain',
      tool: 'plain',
      dataset: 'plain',
      action: 'plain',
      credential: 'plain',
      argumentsSha256: 'digest',
      objectiveSha256: 'digest',
      prompt: { of: { commitment: 'digest' } },
      model: { of: { name: 'plain', version: 'plain' } },
      ttlMs: 'plain',
      agent: 'id',
    },
  },
  'tool.completed': {
    of: { taskId: 'plain', callId: 'plain', leaseId: 'plain', outcome: 'plain', rows: 'plain' },
  },
  'lease.renewal_requested': { of: { taskId: 'plain', leaseId: 'plain', ttlMs: 'plain' } },
};
