/** What of a dead letter may stand in a leaf: where its record lies, and never what it says. */
const letter = {
  group: 'plain',
  letterId: 'plain',
  record: { of: { topic: 'plain', partition: 'plain', offset: 'plain', valueSha256: 'digest' } },
} as const;

export const letterParked = {
  ...letter,
  why: 'plain',
  code: 'plain',
  holds: 'plain',
  attempts: 'plain',
  by: 'id',
  reason: 'sealed',
} as const;

export const letterReleased = { ...letter, how: 'plain', by: 'id', reason: 'sealed' } as const;
