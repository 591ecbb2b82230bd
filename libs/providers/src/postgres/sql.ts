/** The few pieces of SQL that several statements share. */
import pg from 'pg';

/** Quotes what a pattern has already passed: twice safe. */
export const identifier = pg.escapeIdentifier;
export const literal = pg.escapeLiteral;

/** The server's life: its system identifier, which a restore keeps, and its start, which a restore and a restart change. */
export const INCARNATION = `(SELECT system_identifier FROM pg_control_system()) || '.' || (extract(epoch FROM pg_postmaster_start_time()) * 1000)::bigint`;

/** Picks the answer of the message's one `SELECT … AS incarnation`. @throws Error when the message had none */
export function incarnationIn(results: readonly pg.QueryResult[]): string {
  for (const { fields, rows } of results) {
    if (fields[0]?.name === 'incarnation') return String((rows[0] as { incarnation: unknown }).incarnation);
  }
  throw new Error('message had no incarnation');
}
