/** Our principals at the target, by name: the namespace says that they are ours, the name says whose lease they are. */
import type pg from 'pg';
import { asProviderError } from './errors.js';
import { leaseIdOf } from '../principal-name.js';

const PAGE = 500;

/** In order of name, which is the order of creation. @throws ProviderError */
export async function* list(
  pool: pg.Pool,
  namespace: string,
): AsyncGenerator<{ principal: string; leaseId: string }> {
  for (let after = ''; ;) {
    const names = await page(pool, namespace, after);
    for (const principal of names) {
      const leaseId = leaseIdOf(namespace, principal);
      if (leaseId !== null) yield { principal, leaseId };
    }
    const last = names.at(-1);
    if (last === undefined || names.length < PAGE) return;
    after = last;
  }
}

async function page(pool: pg.Pool, namespace: string, after: string): Promise<string[]> {
  try {
    const { rows } = await pool.query<{ rolname: string }>(
      `SELECT rolname FROM pg_roles WHERE starts_with(rolname, $1) AND rolname > $2 ORDER BY rolname LIMIT ${PAGE}`,
      [`k${namespace}`, after],
    );
    return rows.map(({ rolname }) => rolname);
  } catch (error) {
    throw asProviderError(error);
  }
}
