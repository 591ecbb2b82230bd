/**
 * The roles that create principals. A create costs the server time in proportion to the live roles of its creator, so
 * there are up to eight creators, and a lease is one's by its id. Whoever cuts or drops asks the server who the creator
 * was: the number may have been another when the role was made.
 */
import { literal } from './sql.js';

const ISSUER = 'mayfly_issuer';
export const MOST_ISSUERS = 8;

/** The first has the name that the only one had before there were several. */
export const issuersOf = (issuerShards: number): string[] =>
  Array.from({ length: issuerShards }, (_, shard) => (shard === 0 ? ISSUER : `${ISSUER}_${shard}`));

/** Requires a UUIDv7: its last 32 bits are random. */
export function issuerOf(leaseId: string, issuerShards: number): string {
  const shard = Number.parseInt(leaseId.slice(-8), 16) % issuerShards;
  return shard === 0 ? ISSUER : `${ISSUER}_${shard}`;
}

const list = (texts: readonly string[]): string => `ARRAY[${texts.map(literal).join(', ')}]`;

/**
 * Runs `body` for each of the principals that is there, as its own creator; in it `made.principal` and `made.issuer` are
 * names, and afterwards `FOUND` says whether there was any. Of a role that none of ours may alter nothing is done. The order
 * is the same for everyone, so that two revokers never wait for each other crosswise.
 * One look by index for each principal, whatever the planner thinks of the catalogs: a join reads them whole.
 */
export const asIssuers = (principals: readonly string[], body: string, after = ''): string => `DO $issuer$
DECLARE made record;
BEGIN
  FOR made IN
    SELECT p.principal, creator.issuer
    FROM unnest(${list(principals)}) AS p (principal)
    CROSS JOIN LATERAL (
      SELECT min(m.member::regrole::text) AS issuer
      FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid
      WHERE r.rolname = p.principal AND m.admin_option AND m.member::regrole::text = ANY (${list(issuersOf(MOST_ISSUERS))})
    ) AS creator
    WHERE creator.issuer IS NOT NULL
    ORDER BY creator.issuer, p.principal
  LOOP
    PERFORM set_config('role', made.issuer, true);
    ${body}
  END LOOP;
  ${after}
END $issuer$`;
