/**
 * The log as tables, and the functions that are the only way to change it. They run as the owner of the schema, so that who
 * may append cannot alter or date a record, and who may sweep deletes only what a topic's own settings let go.
 */
import type { Migration } from '#store/migrate.js';

/** Raised where a record can never be taken. */
export const REFUSED = 'MF001';
/** Everything that is told goes through this channel: `r <schema> <topic> <partition>` or `g <schema> <group>`. */
export const CHANNEL = 'mayfly_bus';

const log = `
-- The caller's temporary tables must not stand in for these inside the functions below.
DO $$ BEGIN PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true); END $$;

CREATE TABLE topic (
  name text PRIMARY KEY CHECK (name ~ '^[A-Za-z0-9._-]{1,249}$'),
  partitions int NOT NULL CHECK (partitions BETWEEN 1 AND 1000),
  config jsonb NOT NULL
);
-- "low" is the oldest offset that retention has left, "high" the next to be given.
CREATE TABLE log_head (
  topic text NOT NULL REFERENCES topic,
  partition int NOT NULL,
  low bigint NOT NULL DEFAULT 0,
  high bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);
-- Headers: [[name, value in base64], …], in order, doubled ones kept.
CREATE TABLE log_record (
  topic text NOT NULL,
  partition int NOT NULL,
  "offset" bigint NOT NULL,
  appended_at timestamptz NOT NULL,
  size_bytes int NOT NULL,
  key bytea NOT NULL,
  value bytea,
  headers jsonb NOT NULL,
  PRIMARY KEY (topic, partition, "offset")
);
CREATE TABLE member (
  "group" text NOT NULL CHECK (length("group") BETWEEN 1 AND 255),
  id text NOT NULL,
  topics text[] NOT NULL,
  lock_key bigint NOT NULL,
  PRIMARY KEY ("group", id)
);

-- A member lives for as long as a session holds its advisory lock.
CREATE FUNCTION is_alive(lock_key bigint) RETURNS boolean LANGUAGE sql STABLE AS $fn$
  SELECT EXISTS (
    SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND (l.classid::bigint << 32) | l.objid::bigint = lock_key)
$fn$;

CREATE FUNCTION ensure_topic(name text, partitions int, config jsonb) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $fn$
  INSERT INTO topic VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;
  INSERT INTO log_head (topic, partition)
    SELECT t.name, p FROM topic t, generate_series(0, t.partitions - 1) p WHERE t.name = $1
    ON CONFLICT DO NOTHING;
$fn$;

-- All of them or none. The rows of the heads are locked in one order, and before the time is taken: offsets are dense, grow
-- with the time of the append, and become visible in their order, because the next writer waits for this one's commit.
CREATE FUNCTION append(topics text[], hashes int[], keys bytea[], bodies bytea[], heads jsonb[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $fn$
DECLARE
  appended timestamptz;
  written bigint;
BEGIN
  PERFORM FROM log_head h
    WHERE (h.topic, h.partition) IN (
      SELECT t.name, (u.hash & 2147483647) % t.partitions
      FROM unnest(topics, hashes) u(name, hash) JOIN topic t ON t.name = u.name)
    ORDER BY h.topic, h.partition FOR UPDATE OF h;
  appended := clock_timestamp();
  WITH given AS (
    SELECT t.name AS topic, (u.hash & 2147483647) % t.partitions AS partition, u.key, u.value, u.headers, u.n,
           octet_length(u.key) + coalesce(octet_length(u.value), 0) + pg_column_size(u.headers) AS size_bytes,
           coalesce((t.config->>'max.message.bytes')::bigint, 1048588) AS most_bytes
    FROM unnest(topics, hashes, keys, bodies, heads) WITH ORDINALITY u(name, hash, key, value, headers, n)
    JOIN topic t ON t.name = u.name
  ), put AS (
    INSERT INTO log_record (topic, partition, "offset", appended_at, size_bytes, key, value, headers)
    SELECT g.topic, g.partition, h.high + row_number() OVER (PARTITION BY g.topic, g.partition ORDER BY g.n) - 1,
           appended, g.size_bytes, g.key, g.value, g.headers
    FROM given g JOIN log_head h USING (topic, partition)
    WHERE g.size_bytes <= g.most_bytes
    RETURNING topic, partition
  ), counted AS (
    SELECT topic, partition, count(*) AS n FROM put GROUP BY topic, partition
  ), moved AS (
    UPDATE log_head h SET high = h.high + c.n FROM counted c
    WHERE h.topic = c.topic AND h.partition = c.partition RETURNING c.n
  )
  SELECT coalesce(sum(n), 0) INTO written FROM moved;
  IF written <> cardinality(topics) THEN
    RAISE EXCEPTION 'a record is larger than its topic allows, or has no topic' USING ERRCODE = '${REFUSED}';
  END IF;
  PERFORM pg_notify('${CHANNEL}', format('r %s %s %s', current_schema(), p.topic, p.partition)) FROM (
    SELECT DISTINCT t.name AS topic, (u.hash & 2147483647) % t.partitions AS partition
    FROM unnest(topics, hashes) u(name, hash) JOIN topic t ON t.name = u.name) p;
END
$fn$;
`;

const retention = `
DO $$ BEGIN PERFORM set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true); END $$;

-- One step for one partition: what is past retention.ms goes from the front; of a compacted topic, a record goes that a later
-- one of its key supersedes, once it is as old as min.compaction.lag.ms and segment.ms, and a tombstone after
-- delete.retention.ms more. Kafka's defaults. Returns how many went.
CREATE FUNCTION sweep(swept_topic text, swept_partition int) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $fn$
DECLARE
  config jsonb := (SELECT t.config FROM topic t WHERE t.name = swept_topic);
  policy text := coalesce(config->>'cleanup.policy', 'delete');
  at_most constant int := 5000;
  keep_ms bigint := coalesce((config->>'retention.ms')::bigint, 604800000);
  dirty_ms bigint := greatest(coalesce((config->>'min.compaction.lag.ms')::bigint, 0),
                              coalesce((config->>'segment.ms')::bigint, 604800000));
  tombstone_ms bigint := coalesce((config->>'delete.retention.ms')::bigint, 86400000);
  new_low bigint;
  gone bigint := 0;
  step bigint;
BEGIN
  IF policy LIKE '%delete%' AND keep_ms >= 0 THEN
    SELECT coalesce(min(o.n) FILTER (WHERE o.at >= clock_timestamp() - keep_ms * interval '1 ms'), max(o.n) + 1)
      INTO new_low FROM (
        SELECT r."offset" AS n, r.appended_at AS at FROM log_record r
        WHERE r.topic = swept_topic AND r.partition = swept_partition ORDER BY r."offset" LIMIT at_most) o;
    UPDATE log_head h SET low = new_low
      WHERE h.topic = swept_topic AND h.partition = swept_partition AND h.low < new_low
        AND EXISTS (SELECT FROM log_record r WHERE r.topic = swept_topic AND r.partition = swept_partition
                    AND r."offset" < new_low);
    DELETE FROM log_record r
      WHERE r.topic = swept_topic AND r.partition = swept_partition AND r."offset" < new_low;
    GET DIAGNOSTICS gone = ROW_COUNT;
  END IF;
  IF policy LIKE '%compact%' THEN
    DELETE FROM log_record r USING (
      SELECT o."offset" AS n, o.appended_at AS at, o.value IS NULL AS tombstone,
             lead(o."offset") OVER (PARTITION BY o.key ORDER BY o."offset") IS NOT NULL AS superseded
      FROM log_record o WHERE o.topic = swept_topic AND o.partition = swept_partition) w
    WHERE r.topic = swept_topic AND r.partition = swept_partition AND r."offset" = w.n
      AND (w.superseded AND w.at < clock_timestamp() - dirty_ms * interval '1 ms'
        OR w.tombstone AND w.at < clock_timestamp() - (dirty_ms + tombstone_ms) * interval '1 ms');
    GET DIAGNOSTICS step = ROW_COUNT;
    gone := gone + step;
  END IF;
  RETURN gone;
END
$fn$;

-- Members that were killed, of groups that nobody looks at any more.
CREATE FUNCTION forget_dead_members() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $fn$
  DELETE FROM member m WHERE NOT is_alive(m.lock_key);
$fn$;

REVOKE ALL ON FUNCTION ensure_topic, append, sweep, forget_dead_members FROM PUBLIC;
`;

export const busMigrations: readonly Migration[] = [
  { id: 'bus-0001-log', sql: log },
  { id: 'bus-0002-retention', sql: retention },
];
