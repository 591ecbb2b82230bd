/** What a superuser takes away from the guard of the log is seen, and what is told to mend it does. */
import { guardFindings } from '#guard/findings.js';
import { lookAtGuard } from '#guard/look.js';
import { createMetrics } from '#telemetry/metrics.js';
import { freshLogDatabase, guardSql, type LogDatabase } from '../../spec/log-database.js';
import { LogUpkeep } from './log-upkeep.js';

let log: LogDatabase;
beforeAll(async () => {
  log = await freshLogDatabase({ isGuarded: true });
});
afterAll(() => log.drop());

const found = async () => guardFindings(await lookAtGuard(log.runtime.pool, 'audit'));
const meant = (sql: string) => `SET LOCAL mayfly.log_maintenance = 'on'; ${sql}`;
/** As whoever it is for: the owner, or a superuser where it says so. */
async function mend(sql: string): Promise<void> {
  if (sql.includes('guard-the-log.sql')) await log.admin.query(guardSql());
  else if (sql.startsWith('as superuser: ')) await log.admin.query(sql.replace('as superuser: ', ''));
  else await log.owner.pool.query(sql);
}

it('has nothing to say of a log that is guarded', async () => {
  expect(await found()).toEqual([]);
});

it.each([
  ['ALTER TABLE entry DISABLE TRIGGER no_change', 'trigger no_change on audit.entry does not always fire'],
  [
    'ALTER TABLE entry_p1 ENABLE TRIGGER no_truncate',
    'trigger no_truncate on audit.entry_p1 does not always fire',
  ],
  ['DROP TRIGGER no_truncate ON entry_p0', 'no trigger no_truncate on audit.entry_p0'],
  ['DROP TRIGGER no_change ON tile', 'no trigger no_change on audit.tile'],
  ['DROP TRIGGER no_change ON payload', 'no trigger no_change on audit.payload'],
  ['DROP TRIGGER no_delete ON tree_head', 'no trigger no_delete on audit.tree_head'],
  ['DROP TRIGGER grows ON tree_head', 'no trigger grows on audit.tree_head'],
  [
    'CREATE OR REPLACE FUNCTION refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
    'trigger grows on audit.tree_head lets everything pass',
  ],
  [
    'CREATE RULE hide AS ON INSERT TO entry DO INSTEAD NOTHING',
    'a rule hide on audit.entry rewrites statements',
  ],
  ['ALTER TABLE entry ENABLE ROW LEVEL SECURITY', 'row security on audit.entry hides rows'],
  [
    'CREATE TRIGGER other AFTER INSERT ON entry_p0 FOR EACH ROW EXECUTE FUNCTION refuse_change()',
    'a trigger other on audit.entry_p0 is not ours',
  ],
  ['DROP EVENT TRIGGER mayfly_log_drop', 'the event trigger mayfly_log_drop is missing'],
  ['ALTER EVENT TRIGGER mayfly_log_end DISABLE', 'the event trigger mayfly_log_end does not always fire'],
  [
    'DROP EVENT TRIGGER mayfly_log_start, mayfly_log_end, mayfly_log_drop'.replace(
      /, /g,
      '; DROP EVENT TRIGGER ',
    ),
    'the log is not guarded by event triggers',
  ],
])('sees: %s', async (sql, what) => {
  await log.admin.query(meant(sql));
  const seen = await found();
  expect(seen.map((finding) => finding.what)).toContain(what);

  for (const finding of seen) await mend(finding.mend);
  expect(await found()).toEqual([]);
});

it.each([
  ['GRANT UPDATE ON entry TO $', 'UPDATE on audit.entry'],
  ['GRANT UPDATE (leaf) ON entry TO $', 'UPDATE ("leaf") on audit.entry'],
  ['GRANT DELETE ON payload TO $', 'DELETE on audit.payload'],
  ['GRANT TRUNCATE ON tile TO $', 'TRUNCATE on audit.tile'],
  ['GRANT SELECT ON entry_p1 TO $', 'SELECT on audit.entry_p1'],
  ['GRANT INSERT ON entry_p0 TO $', 'INSERT on audit.entry_p0'],
  ['GRANT TRIGGER ON checkpoint TO $', 'TRIGGER on audit.checkpoint'],
])('sees a right that nobody should have: %s', async (grant, what) => {
  await log.admin.query(grant.replace('$', log.runtimeRole));
  const seen = await found();
  expect(seen.map((finding) => finding.what)).toEqual([`${log.runtimeRole} has ${what}`]);

  await mend(seen[0]!.mend);
  expect(await found()).toEqual([]);
});

it('sees what everybody may read, and who may be more than the auditor', async () => {
  await log.admin.query(`GRANT SELECT ON entry TO PUBLIC; GRANT pg_write_all_data TO ${log.runtimeRole}`);
  const seen = await found();
  expect(seen.map(({ what }) => what)).toEqual([
    `${log.runtimeRole} may act as pg_write_all_data`,
    'PUBLIC has SELECT on audit.entry',
  ]);

  for (const finding of seen) await mend(finding.mend);
  expect(await found()).toEqual([]);
});

it('makes the partitions that must stand ready, tells once what is missing, and remarks on it', async () => {
  const warned: object[] = [];
  const upkeep = new LogUpkeep({
    db: log.runtime,
    metrics: createMetrics('auditor'),
    warn: (fields) => warned.push(fields),
  });
  await log.admin.query('UPDATE tree_head SET size = 4194304, nodes = sha256(size::text::bytea)');
  expect(await found()).toMatchObject([{ what: '1 partitions stand ready, of 2', isMinor: true }]);
  await log.admin.query('DROP EVENT TRIGGER mayfly_log_start');

  await upkeep.look();
  await upkeep.look();

  expect(await found()).toMatchObject([{ layer: 'event triggers' }]);
  expect(upkeep.remarks()).toEqual(['the event trigger mayfly_log_start is missing']);
  expect(warned).toHaveLength(1);
});
