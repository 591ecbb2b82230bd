/** An intake over a schema of its own, whose records say what becomes of them. */
import type { BusRecord } from '#bus/bus.js';
import { Intake } from '../src/intake.js';
import type { IntakeParts } from '../src/intake-parts.js';
import { readPositions } from '../src/offsets.js';
import { park } from '../src/parking.js';
import { storeMigrations } from '../src/store-migrations.js';
import { freshSchema, type FreshSchema } from './fresh-schema.js';

const GROUP = 'specs';
const TOPIC = 'mayfly.task.events.v1';

export const rec = (partition: number, offset: number, key: string, value: string): BusRecord => ({
  topic: TOPIC,
  partition,
  offset: BigInt(offset),
  appendedAtMs: 0,
  key: Buffer.from(key),
  value: Buffer.from(value),
  headers: {},
});

export const many = (partition: number, count: number, key: string) =>
  Array.from({ length: count }, (_, i) => rec(partition, i, key, `${key}${i}`));

/** A fresh one for each test. */
export class IntakeWorld {
  readonly committed: string[][] = [];
  readonly warned: string[] = [];
  dead: Error | undefined;
  readonly #opened: Intake<string, string[]>[] = [];

  private constructor(private readonly schema: FreshSchema) {}

  static async open(): Promise<IntakeWorld> {
    const done = { id: 'done', sql: 'CREATE TABLE done (n serial PRIMARY KEY, said text NOT NULL)' };
    return new IntakeWorld(await freshSchema('intake', [...storeMigrations, done]));
  }

  async close(): Promise<void> {
    for (const intake of this.#opened) await intake.stop();
    await this.schema.drop();
  }

  /** Notes what each record says; what says `poison` cannot be handled, and what says `unreadable` cannot be read. */
  intake(more: Partial<IntakeParts<string, string[]>> = {}): Intake<string, string[]> {
    const intake = new Intake<string, string[]>({
      db: this.schema.db,
      group: GROUP,
      read: (record) => {
        const said = String(record.value);
        if (said.includes('unreadable')) throw new TypeError('cannot be read');
        return said;
      },
      handle: async (tx, batch) => {
        for (const { said } of batch) {
          if (said.includes('poison')) throw new TypeError('cannot be handled');
          await tx.query('INSERT INTO done (said) VALUES ($1)', [said]);
        }
        return batch.map(({ said }) => said);
      },
      after: (effects) => this.committed.push(effects),
      setAside: async (tx, record) => {
        const holds = !String(record.value).includes('stranger');
        await park(tx, GROUP, [{ record, why: 'bug', code: 'TypeError', detail: '', holds }]);
        return { holds, effects: [] };
      },
      setBehind: async (tx, records) => {
        await park(
          tx,
          GROUP,
          records.map((record) => ({ record, why: 'behind', code: 'BEHIND', detail: '', holds: true })),
        );
        return [];
      },
      waitsBehind: () => true,
      warn: (_fields, message) => this.warned.push(message),
      onDead: (cause) => (this.dead = cause),
      ...more,
    });
    this.#opened.push(intake);
    return intake;
  }

  /** What was handled, in its order. */
  async done(): Promise<string[]> {
    const { rows } = await this.schema.db.pool.query<{ said: string }>('SELECT said FROM done ORDER BY n');
    return rows.map(({ said }) => said);
  }

  async parked(): Promise<string[]> {
    const { rows } = await this.schema.db.pool.query<{ said: string }>(
      `SELECT why || ' ' || convert_from(value, 'utf8') AS said FROM dead_letter ORDER BY id`,
    );
    return rows.map(({ said }) => said);
  }

  /** `partition:next`, and behind what something of it was handled beyond that. */
  async positions(...partitions: number[]): Promise<string[]> {
    const wanted = partitions.map((partition) => ({ topic: TOPIC, partition }));
    const found = await readPositions(this.schema.db, GROUP, wanted);
    return found.map(({ partition, next, reached = '' }) => `${partition}:${next} ${reached}`.trim()).sort();
  }

  get db() {
    return this.schema.db;
  }
}
