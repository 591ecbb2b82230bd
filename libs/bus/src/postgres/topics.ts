/** Creates topics, and checks those that exist. */
import type { Database } from '#store/database.js';
import type { Log } from '#telemetry/log.js';
import { BusError, type TopicToEnsure } from '../bus.js';
import type { LogBounds } from '../log-bounds.js';

/** What a topic says that nobody has set otherwise: this bus has no other time than that of the append. */
const DEFAULTS = { 'message.timestamp.type': 'LogAppendTime' };

/** Settings that change what a record means to its reader: they MUST be as wanted. Others are only told. */
const STRICT = new Set(['message.timestamp.type']);

interface TopicRow {
  name: string;
  partitions: number;
  config: Record<string, string>;
}

/** @throws BusError ERR_TOPIC_MISCONFIGURED */
export async function ensureTopics(db: Database, wanted: readonly TopicToEnsure[], log: Log): Promise<void> {
  for (const { topic, partitions, config } of wanted) {
    const settings = JSON.stringify({ ...DEFAULTS, ...config });
    await db.pool.query('SELECT ensure_topic($1, $2, $3)', [topic, partitions, settings]);
  }
  const { rows } = await db.pool.query<TopicRow>(
    'SELECT name, partitions, config FROM topic WHERE name = ANY ($1)',
    [wanted.map(({ topic }) => topic)],
  );
  const found = new Map(rows.map((row) => [row.name, row]));
  for (const topic of wanted) check(topic, found.get(topic.topic), log);
}

function check({ topic, partitions, config }: TopicToEnsure, found: TopicRow | undefined, log: Log): void {
  const count = found?.partitions ?? 0;
  if (count !== partitions) throw misconfigured(topic, 'partitions', partitions, count);
  for (const [setting, value] of Object.entries(config)) {
    const actual = found?.config[setting] ?? '';
    if (actual === value) continue;
    if (STRICT.has(setting)) throw misconfigured(topic, setting, value, actual);
    log.warn({ topic, setting, wanted: value, found: actual }, 'topic setting differs');
  }
}

const misconfigured = (topic: string, setting: string, wanted: string | number, found: string | number) =>
  new BusError('ERR_TOPIC_MISCONFIGURED', 'a topic is not as it must be', { topic, setting, wanted, found });

/** How far the log of each partition reaches. @throws BusError ERR_TOPIC_MISCONFIGURED when a topic is missing */
export async function fetchBounds(db: Database, topics: readonly string[]): Promise<LogBounds[]> {
  const { rows } = await db.pool.query<LogBounds>(
    'SELECT topic, partition, low, high FROM log_head WHERE topic = ANY ($1) ORDER BY topic, partition',
    [topics],
  );
  const found = new Set(rows.map(({ topic }) => topic));
  const missing = topics.find((topic) => !found.has(topic));
  if (missing !== undefined)
    throw new BusError('ERR_TOPIC_MISCONFIGURED', 'a topic does not exist', { topic: missing });
  return rows;
}
