import type { RebuildReport } from '#projection/rebuild.js';
import { rebuildDocument, rebuildText } from './rebuild-text.js';

const report = (more: Partial<RebuildReport> = {}): RebuildReport => ({
  size: 90n,
  samePosition: true,
  tables: [{ table: 'agent_seen', rows: 3, differing: 0, first: [] }],
  ...more,
});
const changed = report({
  tables: [
    {
      ...{ table: 'access_grant', rows: 9, differing: 7 },
      first: [
        { key: ['l1'], live: { lease_id: 'l1', cut_at_ms: 1 }, rebuilt: { lease_id: 'l1', cut_at_ms: 5 } },
        { key: ['l2'], live: null, rebuilt: { lease_id: 'l2' } },
        { key: ['l3'], live: { lease_id: 'l3' }, rebuilt: null },
      ],
    },
  ],
});

it('says in a line that all is as it was', () => {
  expect(rebuildText(report(), true)).toBe('3 rows made of 90 entries: all as they were');
  expect(rebuildDocument(report(), true)).toMatchObject({ ok: true, checked: true, size: '90' });
});

it('says of each difference what it is', () => {
  expect(rebuildText(changed, true)).toBe(
    [
      '9 rows made of 90 entries: 7 rows differ',
      'access_grant l1: cut_at_ms 1, of the log 5',
      'access_grant l2: missing',
      'access_grant l3: of no entry',
      'access_grant: and 4 more',
    ].join('\n'),
  );
  expect(rebuildDocument(changed, true)).toMatchObject({ ok: false });
});

it('says that they were replaced', () => {
  expect(rebuildText(changed, false)).toContain('7 rows differed, and were replaced');
  expect(rebuildDocument(changed, false)).toMatchObject({ ok: true });
});

it('says that other rules made them', () => {
  expect(rebuildText(report({ samePosition: false }), true)).toContain('of other rules');
  expect(rebuildDocument(report({ samePosition: false }), true)).toMatchObject({ ok: false });
});
