/** What of an operator's order to revoke, and of what came of it, may stand in a leaf. */

/** The subject is a lease, a task, an agent or a target: nobody's name. */
const order = { orderId: 'plain', scope: 'plain', subject: 'plain' } as const;
const word = { by: 'id', reason: 'sealed' } as const;

export const revocationOrdered = { ...order, ...word, generationBelow: 'plain' } as const;
export const revocationProven = { ...order, leases: 'plain' } as const;
export const orderRejected = {
  order: 'plain',
  scope: 'plain',
  subject: 'plain',
  code: 'plain',
  ...word,
} as const;
export const agentRevoked = { agent: 'id', generationBelow: 'plain', ...word } as const;
export const agentReinstated = { agent: 'id', agentGeneration: 'plain', ...word } as const;
