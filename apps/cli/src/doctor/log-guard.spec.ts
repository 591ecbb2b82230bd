import type { GuardSeen, SeenTable } from '#guard/look.js';
import { layerFindings } from './log-guard.js';

const table = (name: string, upper: bigint | null = null): SeenTable => ({
  ...{ name, upper },
  isDetaching: false,
  hasRowSecurity: false,
});
const tables = [
  ...['checkpoint', 'entry', 'payload', 'tile', 'tree_head'].map((name) => table(name)),
  ...[0, 1, 2].map((i) => table(`entry_p${i}`, BigInt(i + 1) * 4_194_304n)),
];
const always = { fires: 'A', refuses: true };
const whole: GuardSeen = {
  schema: 'audit',
  owner: 'mayfly_audit_owner',
  writer: 'mayfly_auditor',
  isOwnerSuperuser: false,
  writerMayBe: [],
  tables,
  triggers: tables.flatMap(({ name }) =>
    (name === 'tree_head' ? ['grows', 'no_delete', 'no_truncate'] : ['no_change', 'no_truncate']).map(
      (trigger) => ({ table: name, name: trigger, ...always }),
    ),
  ),
  rules: [],
  rights: [
    { table: 'entry', role: 'mayfly_auditor', privilege: 'SELECT', column: null },
    { table: 'entry', role: 'mayfly_auditor', privilege: 'INSERT', column: null },
    { table: 'tree_head', role: 'mayfly_auditor', privilege: 'UPDATE', column: 'size' },
    { table: 'checkpoint', role: 'mayfly_signer', privilege: 'INSERT', column: null },
    { table: 'entry', role: 'mayfly_log_reader', privilege: 'SELECT', column: null },
    { table: 'entry_p0', role: 'mayfly_dba', privilege: 'MAINTAIN', column: null },
  ],
  eventTriggers: ['mayfly_log_start', 'mayfly_log_end', 'mayfly_log_drop'].map((name) => ({
    ...{ name, fires: 'A', isOfSchema: true },
  })),
  size: 12n,
};

it('says of each layer that it stands', () => {
  expect(layerFindings(whole)).toEqual([
    { status: 'ok', what: 'log: triggers', seen: 'refuse changes, always, on 8 tables and partitions' },
    { status: 'ok', what: 'log: event triggers', seen: 'refuse whoever alters, drops or detaches a table' },
    { status: 'ok', what: 'log: rights', seen: 'mayfly_auditor adds and reads, nobody changes' },
    { status: 'ok', what: 'log: partitions', seen: '3 for 12 entries, the next ones ready' },
  ]);
});

it('fails where rows could be changed, with the SQL that mends it', () => {
  const triggers = whole.triggers.filter(
    ({ table: of, name }) => of !== 'entry_p1' || name !== 'no_truncate',
  );

  expect(layerFindings({ ...whole, triggers })[0]).toEqual({
    status: 'fail',
    what: 'log: triggers',
    seen: 'no trigger no_truncate on audit.entry_p1',
    fix:
      "BEGIN; SET LOCAL mayfly.log_maintenance = 'on'; CREATE TRIGGER no_truncate BEFORE TRUNCATE ON audit.entry_p1 " +
      'FOR EACH STATEMENT EXECUTE FUNCTION audit.refuse_change(); ' +
      'ALTER TABLE audit.entry_p1 ENABLE ALWAYS TRIGGER no_truncate; COMMIT',
  });
});

it('only warns of event triggers: not everybody may install them', () => {
  expect(layerFindings({ ...whole, eventTriggers: [] })[1]).toMatchObject({
    status: 'warn',
    seen: 'the log is not guarded by event triggers',
    fix: expect.stringContaining('deploy/postgres/guard-the-log.sql') as string,
  });
});

it('fails where the auditor is the owner of the log, or a superuser', () => {
  const found = layerFindings({ ...whole, writerMayBe: ['superuser', 'mayfly_audit_owner'] });

  expect(found.map(({ status, seen }) => [status, seen]).slice(2, 4)).toEqual([
    ['fail', 'mayfly_auditor is a superuser'],
    ['fail', 'mayfly_auditor may act as mayfly_audit_owner'],
  ]);
});

it.each([
  [4_194_303n, 'ok'],
  [4_194_304n, 'warn'],
  [8_388_608n, 'fail'],
])('judges partitions that stand ready, at %s entries: %s', (size, status) => {
  expect(layerFindings({ ...whole, size }).at(-1)).toMatchObject({ status, what: 'log: partitions' });
});

it('fails where a partition is being detached', () => {
  const detaching = tables.map((each) => (each.name === 'entry_p0' ? { ...each, isDetaching: true } : each));

  expect(layerFindings({ ...whole, tables: detaching }).at(-1)).toMatchObject({
    status: 'fail',
    seen: 'audit.entry_p0 is being detached: its entries are not seen',
  });
});
