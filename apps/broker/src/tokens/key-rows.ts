/** Keys for tokens as rows. All brokers share them: one at a time does what is due, and all read what came of it. */
import type { SigningKeyCause } from '#events/signing-key.js';
import type { EcPublicJwk } from '#identity/jwk.js';
import type { Tx } from '#store/database.js';
import type { RotationOrder, ScheduledKey } from './key-schedule.js';

export interface KeyRow extends ScheduledKey {
  jwk: EcPublicJwk;
  why: SigningKeyCause;
  /** Who ordered it. */
  by: string | null;
  /** The private key, encrypted; null once it signs no more. */
  wrapped: Buffer | null;
}

/** Under it the rows change, for the rest of the transaction. @returns false where another broker has it, and is not waited for */
export async function holdKeys(tx: Tx, schema: string, { wait }: { wait: boolean }): Promise<boolean> {
  const key = `hashtextextended('mayfly.token-key.' || $1, 0)`;
  const text = wait
    ? `SELECT true AS held FROM pg_advisory_xact_lock(${key})`
    : `SELECT pg_try_advisory_xact_lock(${key}) AS held`;
  const { rows } = await tx.query<{ held: boolean }>(text, [schema]);
  return rows[0]?.held === true;
}

const ms = (column: string) => `floor(extract(epoch FROM ${column}) * 1000)::float8`;

/** Oldest first. Those that are forgotten are left out. */
export async function readKeys(tx: Pick<Tx, 'query'>): Promise<KeyRow[]> {
  const { rows } = await tx.query<KeyRow>(
    `SELECT kid, state, jwk, why, ordered_by AS by, wrapped, ${ms('published_at')} AS "publishedAtMs", ${ms('active_at')} AS "activeAtMs",
            ${ms('retired_at')} AS "retiredAtMs"
       FROM token_key WHERE state <> 'forgotten' ORDER BY published_at, kid`,
  );
  return rows;
}

export type NewKey = Pick<KeyRow, 'kid' | 'jwk' | 'why' | 'by' | 'wrapped'>;

export async function addKey(tx: Tx, { kid, jwk, why, by, wrapped }: NewKey): Promise<void> {
  await tx.query(
    `INSERT INTO token_key (kid, state, jwk, why, ordered_by, wrapped, published_at)
       VALUES ($1, 'published', $2, $3, $4, $5, clock_timestamp())`,
    [kid, JSON.stringify(jwk), why, by, wrapped],
  );
}

/** What operators have ordered since (`mayfly key rotate`), the gravest of it: once it is carried out, it is no order any more. */
export async function takeOrder(tx: Tx): Promise<RotationOrder | undefined> {
  const { rows } = await tx.query<{ how: RotationOrder['how']; by: string }>(
    'DELETE FROM token_key_order RETURNING how, ordered_by AS by',
  );
  const of = (how: RotationOrder['how']) => rows.find((row) => row.how === how);
  const order = of('compromised') ?? of('at_once') ?? of('ahead');
  return order && { how: order.how, reason: { why: 'order', by: order.by } };
}

/** What signs no more has no use for its private half. */
export async function retireKeys(tx: Tx, kids: readonly string[]): Promise<void> {
  await tx.query(
    `UPDATE token_key SET state = 'retired', retired_at = clock_timestamp(), wrapped = NULL WHERE kid = ANY($1::text[])`,
    [kids],
  );
}

export async function activateKey(tx: Tx, kid: string): Promise<void> {
  await tx.query(`UPDATE token_key SET state = 'active', active_at = clock_timestamp() WHERE kid = $1`, [
    kid,
  ]);
}

export async function forgetKey(tx: Tx, kid: string): Promise<void> {
  await tx.query(`UPDATE token_key SET state = 'forgotten' WHERE kid = $1`, [kid]);
}

export async function nowOf(tx: Tx): Promise<number> {
  const { rows } = await tx.query<{ now: number }>(`SELECT ${ms('clock_timestamp()')} AS now`);
  return rows[0]?.now ?? Number.NaN;
}
