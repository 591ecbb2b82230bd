/** Status lists as a view of the leases: there is no second account of what is dead that could differ from the first. */
import type { Database } from '#store/database.js';

const URI = `body#>>'{plan,token,status,uri}'`;

/** URIs of the lists in which a token may still be good. @param sinceMs leases that ended earlier are over for everybody */
export async function readLists(db: Database, sinceMs: number): Promise<Set<string>> {
  // From one name to the next over the index: there are few lists, and very many leases.
  const { rows } = await db.pool.query<{ uri: string }>({
    name: 'read-status-lists',
    text: `WITH RECURSIVE list(uri) AS (
             (SELECT ${URI} FROM lease WHERE ${URI} IS NOT NULL ORDER BY ${URI} LIMIT 1)
             UNION ALL
             SELECT (SELECT ${URI} FROM lease WHERE ${URI} > list.uri ORDER BY ${URI} LIMIT 1)
               FROM list WHERE list.uri IS NOT NULL)
           SELECT uri FROM list
            WHERE EXISTS (SELECT FROM lease WHERE ${URI} = list.uri AND not_after > $1)`,
    values: [new Date(sinceMs).toISOString()],
  });
  return new Set(rows.map(({ uri }) => uri));
}

/** Places of tokens that are dead: due, cut or removed. */
export async function readInvalid(db: Database, uri: string, sinceMs: number): Promise<number[]> {
  const { rows } = await db.pool.query<{ idx: number }>({
    name: 'read-invalid',
    text: `SELECT (body#>>'{plan,token,status,idx}')::int AS idx FROM lease
            WHERE ${URI} = $1 AND not_after > $2 AND state <> 'known'`,
    values: [uri, new Date(sinceMs).toISOString()],
  });
  return rows.map(({ idx }) => idx);
}
