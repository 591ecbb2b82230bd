/** Secrets that all brokers share for ever: made by the first that needs one, kept in the database, encrypted. */
import { randomBytes } from 'node:crypto';
import type { Database } from '#store/database.js';
import type { KeyWrap } from './key-wrap.js';

const BYTES = 32;

/** @param name what the wrapped bytes are bound to. @throws IdentityError: another key-encryption key wrapped it */
export async function keptSecret(
  { db, wrap }: { db: Database; wrap: KeyWrap },
  name: string,
): Promise<Buffer> {
  await db.pool.query('INSERT INTO token_secret (name, wrapped) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    name,
    await wrap.wrap(randomBytes(BYTES), name),
  ]);
  const { rows } = await db.pool.query<{ wrapped: Buffer }>(
    'SELECT wrapped FROM token_secret WHERE name = $1',
    [name],
  );
  return await wrap.unwrap(rows[0]?.wrapped ?? Buffer.alloc(0), name);
}
