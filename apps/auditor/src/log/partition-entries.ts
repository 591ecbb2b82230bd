/**
 * Entries in partitions by number. The auditor's own role owns none of them and may make none, but for the next ones, by a
 * function of the owner that can do nothing else.
 */
import type { Migration } from '#store/migrate.js';

/**
 * Rows of a partition: a multiple of 65,536, so that no tile of the two lowest levels has leaves in two partitions. How many
 * partitions stand ready behind the one that the log has reached.
 */
export const PARTITION = { rows: 4_194_304n, ahead: 2n } as const;

export const partitionEntries: Migration = {
  id: 'log-3',
  sql: `
    -- A reference would lock each entry to let its payload in, which makes an append more than half as long again, and the whole
    -- payload table to let a partition in. Nothing rests on it: a payload opens nothing that its entry does not commit to, and
    -- one beyond the log's end is reported (check-rows.ts).
    ALTER TABLE payload DROP CONSTRAINT payload_seq_fkey;

    -- What there was becomes the first partition, up to the end of the block that the log has reached.
    ALTER TABLE entry RENAME TO entry_p0;
    ALTER INDEX entry_pkey RENAME TO entry_p0_pkey;
    ALTER INDEX entry_task RENAME TO entry_p0_task;
    ALTER INDEX entry_type RENAME TO entry_p0_type;
    ALTER INDEX entry_decision RENAME TO entry_p0_decision;
    -- It gets the one of the whole.
    DROP TRIGGER no_change ON entry_p0;
    CREATE TABLE entry (LIKE entry_p0 INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (seq);
    ALTER TABLE entry ADD PRIMARY KEY (seq);
    CREATE INDEX entry_task ON entry (task_id, seq) WHERE task_id IS NOT NULL;
    CREATE INDEX entry_type ON entry (type, seq) WHERE type IS NOT NULL;
    CREATE INDEX entry_decision ON entry (event_id) WHERE type = 'call.decided';
    CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON entry FOR EACH ROW EXECUTE FUNCTION refuse_change();
    CREATE TRIGGER no_truncate BEFORE TRUNCATE ON entry FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    ALTER TABLE entry ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER no_truncate;
    DO $$ BEGIN
      EXECUTE format('ALTER TABLE entry ATTACH PARTITION entry_p0 FOR VALUES FROM (0) TO (%s)',
        ((SELECT greatest(size, (SELECT max(seq) + 1 FROM entry_p0)) FROM tree_head) / ${PARTITION.rows} + 1) * ${PARTITION.rows});
    END $$;
    ALTER TABLE entry_p0 ENABLE ALWAYS TRIGGER no_change;

    -- Whoever calls it chooses nothing: what its owner's rights are lent for is fixed, the names that it uses too.
    SELECT set_config('search_path', format('%I, pg_temp', current_schema()), true);
    CREATE FUNCTION add_partitions() RETURNS int LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    DECLARE
      wanted bigint := ((SELECT size FROM tree_head) / ${PARTITION.rows} + 1 + ${PARTITION.ahead}) * ${PARTITION.rows};
      reached bigint;
      partition text;
      locked boolean := false;
      made int := 0;
    BEGIN
      LOOP
        SELECT max(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''?(\\d+)')::bigint) INTO reached
          FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'entry'::regclass;
        -- Never more than stand ready, whatever the head says: its role may write what it likes there.
        IF reached >= wanted OR made > ${PARTITION.ahead} THEN
          RETURN made;
        ELSIF NOT locked THEN
          -- Whoever comes second waits here, and looks again.
          LOCK TABLE entry IN SHARE UPDATE EXCLUSIVE MODE;
          locked := true;
          CONTINUE;
        END IF;
        partition := format('entry_p%s', reached / ${PARTITION.rows});
        PERFORM set_config('mayfly.log_maintenance', 'on', true);
        -- Attached when it is whole: CREATE TABLE … PARTITION OF would hold up readers and writers of all the others.
        EXECUTE format('CREATE TABLE %I (LIKE entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
        EXECUTE format('CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
        EXECUTE format('ALTER TABLE entry ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)',
          partition, reached, reached + ${PARTITION.rows});
        EXECUTE format('ALTER TABLE %I ENABLE ALWAYS TRIGGER no_change, ENABLE ALWAYS TRIGGER no_truncate', partition);
        PERFORM set_config('mayfly.log_maintenance', 'off', true);
        made := made + 1;
      END LOOP;
    END $$;

    -- How far the rows have been compared with their bytes (row-checker.ts), and which were found wanting.
    CREATE TABLE row_check (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      next bigint NOT NULL DEFAULT 0, laps bigint NOT NULL DEFAULT 0, suspects bigint[] NOT NULL DEFAULT '{}');
    INSERT INTO row_check DEFAULT VALUES;
  `,
};
