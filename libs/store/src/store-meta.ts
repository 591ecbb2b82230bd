/** The life of a database: its epoch, those before it, and what is left to be done after a restore. */
import type pg from 'pg';

/** What a service does before it works again. Written by `mayfly recover`, taken away by the service that has done it. */
export interface Recovery {
  /** The database was restored: what it has forgotten is taken over from the topics. */
  store: boolean;
  /** Topics that were made anew: what was on them is gone. */
  topics: string[];
}

export interface StoreLife {
  epoch: string;
  /** Epochs whose records this database knows, or has taken over. */
  earlier: string[];
  recovering: Recovery | null;
}

export async function readStoreLife(db: Pick<pg.ClientBase, 'query'> | pg.Pool): Promise<StoreLife> {
  const { rows } = await (db as pg.Pool).query<StoreLife>(
    'SELECT epoch, earlier, recovering FROM store_meta',
  );
  const [life] = rows;
  if (life === undefined) throw new Error('the store has no epoch');
  return life;
}

/**
 * Begins a new life of the database: readers see from the epoch that its counter may go back.
 * @param seen epochs of this service that were found on the topics
 * @returns the new epoch
 */
export async function raiseEpoch(
  tx: pg.ClientBase,
  seen: readonly string[],
  recovery: Recovery,
): Promise<string> {
  const { rows } = await tx.query<{ epoch: string }>(
    `UPDATE store_meta SET
       earlier = (SELECT coalesce(array_agg(DISTINCT e ORDER BY e), '{}') FROM unnest(earlier || epoch || $1::text[]) AS e),
       epoch = replace(gen_random_uuid()::text, '-', ''), recovering = $2
     RETURNING epoch`,
    [seen, JSON.stringify(recovery)],
  );
  return rows[0]?.epoch ?? '';
}

/** In the transaction that did the last of it. */
export async function endRecovery(tx: pg.ClientBase): Promise<void> {
  await tx.query('UPDATE store_meta SET recovering = NULL');
}
