/** What the log keeps of drift. */
export const driftSignalled = {
  agent: 'id',
  signal: 'plain',
  weight: 'plain',
  score: 'plain',
  count: 'plain',
  callId: 'plain',
  leaseId: 'plain',
} as const;

export const seenInCall = {
  model: { of: { name: 'plain', version: 'plain' } },
  signals: { each: 'plain' },
} as const;
