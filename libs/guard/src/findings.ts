/** What is missing of what keeps the log from being changed, and what mends it. Pure. */
import type { GuardSeen, SeenRight, SeenTable } from './look.js';

export type Layer = 'triggers' | 'event triggers' | 'rights' | 'partitions';
export const LAYERS: readonly Layer[] = ['triggers', 'event triggers', 'rights', 'partitions'];

export interface GuardFinding {
  layer: Layer;
  /** Less than a layer that must stand: it is there where rights allow, or still enough. */
  isMinor: boolean;
  what: string;
  /** SQL, for whoever owns the tables unless it says otherwise. */
  mend: string;
}

/** Rows of a partition, and how many stand ready: as migration log-3 makes them. */
const PARTITION_ROWS = 4_194_304n;
const READY = 2n;
const EVENT_TRIGGERS = ['mayfly_log_start', 'mayfly_log_end', 'mayfly_log_drop'];
const INSTALL = 'as superuser: psql --single-transaction --file deploy/postgres/guard-the-log.sql';

export const UNGUARDED = 'the log is not guarded by event triggers';

export const guardFindings = (seen: GuardSeen): GuardFinding[] => [
  ...triggerFindings(seen),
  ...eventTriggerFindings(seen),
  ...rightFindings(seen),
  ...partitionFindings(seen),
];

const isPartition = ({ upper }: Pick<SeenTable, 'upper'>): boolean => upper !== null;
const wanted = ({ name }: SeenTable): string[] =>
  name === 'tree_head' ? ['grows', 'no_delete', 'no_truncate'] : ['no_change', 'no_truncate'];

/** In a transaction that tells the event triggers that it is meant. */
const maintenance = (sql: string): string => `BEGIN; SET LOCAL mayfly.log_maintenance = 'on'; ${sql}; COMMIT`;

function triggerFindings({ schema, tables, triggers, rules }: GuardSeen): GuardFinding[] {
  const finding = (what: string, mend: string): GuardFinding => ({
    ...{ layer: 'triggers', isMinor: false, what },
    mend: maintenance(mend),
  });
  return [
    ...tables.flatMap((table) => {
      const place = `${schema}.${table.name}`;
      return wanted(table).flatMap((name) => {
        const found = triggers.find((each) => each.table === table.name && each.name === name);
        const always = `ALTER TABLE ${place} ENABLE ALWAYS TRIGGER ${name}`;
        if (found === undefined)
          return finding(`no trigger ${name} on ${place}`, `${CREATE(name, place, schema)}; ${always}`);
        if (!found.refuses)
          return finding(`trigger ${name} on ${place} lets everything pass`, REFUSE(name, schema));
        return found.fires === 'A' ? [] : finding(`trigger ${name} on ${place} does not always fire`, always);
      });
    }),
    ...triggers
      .filter(({ table, name }) => isEntry(tables, table) && name !== 'no_change' && name !== 'no_truncate')
      .map(({ table, name }) =>
        finding(
          `a trigger ${name} on ${schema}.${table} is not ours`,
          `DROP TRIGGER "${name}" ON ${schema}.${table}`,
        ),
      ),
    ...rules.map(({ table, name }) =>
      finding(
        `a rule ${name} on ${schema}.${table} rewrites statements`,
        `DROP RULE "${name}" ON ${schema}.${table}`,
      ),
    ),
    ...tables
      .filter(({ hasRowSecurity }) => hasRowSecurity)
      .map(({ name }) =>
        finding(
          `row security on ${schema}.${name} hides rows`,
          `ALTER TABLE ${schema}.${name} DISABLE ROW LEVEL SECURITY`,
        ),
      ),
  ];
}

const isEntry = (tables: readonly SeenTable[], table: string): boolean =>
  table === 'entry' || tables.some((each) => each.name === table && isPartition(each));

const CREATE = (name: string, place: string, schema: string): string => {
  const [on, row, runs] = {
    no_truncate: ['TRUNCATE', 'STATEMENT', 'refuse_change'],
    no_delete: ['DELETE', 'ROW', 'refuse_change'],
    grows: ['UPDATE', 'ROW', 'refuse_shrinking'],
  }[name] ?? [place.endsWith('.payload') ? 'UPDATE' : 'UPDATE OR DELETE', 'ROW', 'refuse_change'];
  return `CREATE TRIGGER ${name} BEFORE ${on} ON ${place} FOR EACH ${row} EXECUTE FUNCTION ${schema}.${runs}()`;
};

/** What it said: the migration log-1. */
const REFUSE = (name: string, schema: string): string =>
  name === 'grows'
    ? `CREATE OR REPLACE FUNCTION ${schema}.refuse_shrinking() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.size < OLD.size THEN RAISE EXCEPTION 'the tree only grows' USING errcode = '42501'; END IF; RETURN NEW; END $$`
    : `CREATE OR REPLACE FUNCTION ${schema}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op USING errcode = '42501'; END $$`;

function eventTriggerFindings({ eventTriggers, schema }: GuardSeen): GuardFinding[] {
  const finding = (what: string): GuardFinding => ({
    ...{ layer: 'event triggers', isMinor: true, what, mend: INSTALL },
  });
  if (eventTriggers.length === 0) return [finding(UNGUARDED)];
  const stands = (name: string) => eventTriggers.find((each) => each.name === name);
  return [
    ...EVENT_TRIGGERS.filter((name) => stands(name)?.fires !== 'A').map((name) =>
      finding(
        `the event trigger ${name} ${stands(name) === undefined ? 'is missing' : 'does not always fire'}`,
      ),
    ),
    ...(eventTriggers.every(({ isOfSchema }) => isOfSchema)
      ? []
      : [finding(`the event triggers guard another schema than ${schema}`)]),
  ];
}

function rightFindings(seen: GuardSeen): GuardFinding[] {
  const { schema, owner, writer, isOwnerSuperuser, writerMayBe, tables, rights } = seen;
  const finding = (what: string, mend: string): GuardFinding => ({
    ...{ layer: 'rights', isMinor: false, what, mend },
  });
  return [
    ...writerMayBe.map((role) =>
      role === 'superuser'
        ? finding(`${writer} is a superuser`, `as superuser: ALTER ROLE "${writer}" NOSUPERUSER`)
        : finding(`${writer} may act as ${role}`, `as superuser: REVOKE "${role}" FROM "${writer}"`),
    ),
    ...(isOwnerSuperuser
      ? [
          finding(
            `${owner}, who owns the log, is a superuser`,
            `as superuser: ALTER ROLE "${owner}" NOSUPERUSER`,
          ),
        ]
      : []),
    ...rights
      .filter((right) => !isDue(right, writer, tables))
      .map(({ table, role, privilege, column }) => {
        const to = role === 'PUBLIC' ? role : `"${role}"`;
        const what = `${privilege}${column === null ? '' : ` ("${column}")`}`;
        return finding(
          `${role} has ${what} on ${schema}.${table}`,
          `REVOKE ${what} ON ${schema}.${table} FROM ${to}`,
        );
      }),
  ];
}

/** Who may do what, besides the owner: read, look after, and for the services add. */
function isDue({ table, role, privilege, column }: SeenRight, writer: string, tables: readonly SeenTable[]) {
  if (role === 'PUBLIC') return false;
  if (privilege === 'MAINTAIN') return true;
  if (tables.some((each) => each.name === table && isPartition(each))) return false;
  if (privilege === 'SELECT') return true;
  // A signer of its own has no other right to add.
  if (privilege === 'INSERT') return role === writer || table === 'checkpoint';
  return table === 'tree_head' && privilege === 'UPDATE' && column !== null && role === writer;
}

function partitionFindings({ schema, tables, size }: GuardSeen): GuardFinding[] {
  const uppers = tables.flatMap(({ upper }) => upper ?? []);
  const reached = uppers.reduce((most, each) => (each > most ? each : most), 0n);
  const ready = reached / PARTITION_ROWS - size / PARTITION_ROWS - 1n;
  return [
    ...(ready < READY
      ? [
          {
            ...{ layer: 'partitions' as const, isMinor: ready > 0n },
            what: `${ready < 0n ? 0n : ready} partitions stand ready, of ${READY}`,
            mend: `SELECT ${schema}.add_partitions()`,
          },
        ]
      : []),
    ...tables
      .filter(({ isDetaching }) => isDetaching)
      .map(({ name }) => ({
        ...{ layer: 'partitions' as const, isMinor: false },
        what: `${schema}.${name} is being detached: its entries are not seen`,
        mend: `ALTER TABLE ${schema}.entry DETACH PARTITION ${schema}.${name} FINALIZE, and attach it again with its bounds`,
      })),
  ];
}
