/**
 * What of a look at a target may stand in a leaf. An account of somebody else's may be a person's, with their name for a name: then it is no identifier
 * of ours, and stands there as a pseudonym.
 */
export const orphanCut = {
  leaseId: 'plain',
  target: 'plain',
  principal: 'plain',
  exposureMs: 'plain',
} as const;

export const targetRestarted = {
  target: 'plain',
  provider: 'plain',
  incarnation: 'plain',
  previous: 'plain',
} as const;

const whose = { target: 'plain', provider: 'plain', principal: 'person' } as const;

export const standingAccessFound = {
  ...whose,
  reaches: { each: { of: { dataset: 'plain', actions: { each: 'plain' } } } },
  more: 'plain',
  ways: { each: 'plain' },
  neverExpires: 'plain',
  owners: { each: 'person' },
} as const;

export const standingAccessGone = { ...whose, why: 'plain', reason: 'sealed', review: 'plain' } as const;
