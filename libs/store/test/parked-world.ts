/** Records that were parked, the orders about them, and what a release made of both. */
import type { BusRecord } from '#bus/bus.js';
import { TASK_EVENTS } from '#events/topics.js';
import { transact, type Tx } from '../src/database.js';
import { orderLetter } from '../src/letter-board.js';
import { heldKeys, park } from '../src/parking.js';
import { releaseOrders, type ReleaseParts } from '../src/release.js';
import { storeMigrations } from '../src/store-migrations.js';
import { freshSchema, type FreshSchema } from './fresh-schema.js';

export const GROUP = 'broker';
export const TASK = '01a20fb8-c172-74ad-b8be-e0ba85b79c26';

export const record = (offset: number, key = TASK): BusRecord => ({
  topic: TASK_EVENTS,
  partition: 3,
  offset: BigInt(offset),
  appendedAtMs: 0,
  key: Buffer.from(key),
  value: Buffer.from(`{"n":${offset}}`),
  headers: { 'mayfly-svid': Buffer.from('a.secret.token') },
});

/** Handles a record: it was seen. */
export const see = async (tx: Tx, { offset }: BusRecord) => {
  await tx.query('INSERT INTO seen (seen_offset) VALUES ($1)', [offset]);
  return Number(offset);
};

type Parking = { holds?: boolean; key?: string };

export class ParkedWorld {
  private constructor(readonly schema: FreshSchema) {}

  static async open(): Promise<ParkedWorld> {
    return new ParkedWorld(
      await freshSchema('release', [
        ...storeMigrations,
        {
          id: 'seen',
          sql: 'CREATE TABLE seen (n bigint GENERATED ALWAYS AS IDENTITY, seen_offset bigint UNIQUE)',
        },
      ]),
    );
  }

  close(): Promise<void> {
    return this.schema.drop();
  }

  /** The first failed, the others wait behind it. @returns their ids */
  async parked(offsets: number[], { holds = true, key = TASK }: Parking = {}): Promise<bigint[]> {
    const letters = offsets.map((offset, n) => ({
      record: record(offset, key),
      why: n === 0 ? ('bug' as const) : ('behind' as const),
      code: n === 0 ? 'TypeError' : 'ERR_PARKED_BEHIND',
      detail: 'for a reason',
      holds,
    }));
    const done = await transact(this.schema.db, (tx) => park(tx, GROUP, letters));
    return done.map(({ id }) => id ?? -1n);
  }

  order(id: bigint | undefined, want: 'retry' | 'drop') {
    const word = { by: 'os:maria', reason: 'mended in 0.1.1' };
    return transact(this.schema.db, (tx) => orderLetter(tx, GROUP, id ?? -1n, want, word));
  }

  release(handle: ReleaseParts<number>['handle'] = see, more: Partial<ReleaseParts<number>> = {}) {
    const effects: number[] = [];
    const warned: string[] = [];
    const run = () =>
      releaseOrders<number>({
        db: this.schema.db,
        group: GROUP,
        handle,
        after: (committed) => effects.push(...committed.effects),
        warn: (_fields, message) => warned.push(message),
        ...more,
      });
    return { run, effects, warned };
  }

  async seen(): Promise<number[]> {
    const query = 'SELECT seen_offset AS o FROM seen ORDER BY n';
    return (await this.schema.db.pool.query<{ o: bigint }>(query)).rows.map(({ o }) => Number(o));
  }

  async states(): Promise<string[]> {
    const query = 'SELECT state FROM dead_letter ORDER BY id';
    return (await this.schema.db.pool.query<{ state: string }>(query)).rows.map(({ state }) => state);
  }

  async isHeld(): Promise<boolean> {
    return (await transact(this.schema.db, (tx) => heldKeys(tx, GROUP, [TASK]))).has(TASK);
  }
}
