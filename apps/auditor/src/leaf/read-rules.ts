/** What of a read of the log may stand in a leaf: who asked for which route, and of what was asked only a keyed digest. */
export const accessRead = {
  reader: 'id',
  role: 'plain',
  route: 'plain',
  subject: 'plain',
  query: 'digest',
  asOf: 'plain',
  count: 'plain',
} as const;
