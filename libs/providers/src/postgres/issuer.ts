/**
 * The roles that create principals. Whatever is done to a principal costs the server time in proportion to the live roles of
 * its creator, and becoming a creator in proportion to those of all; so there are many of them, and leases made about the same
 * time have the same one. Whoever cuts or drops asks the server who the creator was: it may have been another.
 */
import { literal } from './sql.js';

const ISSUER = 'mayfly_issuer';
export const MOST_ISSUERS = 64;
/** How long one issuer's turn is. At the highest rate a target bears, it makes a few hundred principals in it. */
const TURN_MS = 512;

/** The first has the name that the only one had before there were several. */
export const issuersOf = (issuerShards: number): string[] =>
  Array.from({ length: issuerShards }, (_, shard) => issuerNo(shard));

const issuerNo = (shard: number): string => (shard === 0 ? ISSUER : `${ISSUER}_${shard}`);

/** Requires a UUIDv7: its first 48 bits are milliseconds (RFC 9562 §5.7). */
export function issuerOf(leaseId: string, issuerShards: number): string {
  const madeAtMs = Number.parseInt(leaseId.slice(0, 8) + leaseId.slice(9, 13), 16);
  return issuerNo(Math.floor(madeAtMs / TURN_MS) % issuerShards);
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
