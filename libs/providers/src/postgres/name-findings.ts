/**
 * Whether names in our namespace are used by somebody else: by a person, or by another Mayfly, which would cut our principals as orphans as
 * we would cut its. Only roles that may log in count: what a cut left is harmless, and its fence row may be gone.
 */
import type { Client } from 'pg';
import type { TargetFinding } from '../target-finding.js';
import { issuersOf, MOST_ISSUERS } from './issuer.js';
import { leaseIdOf } from '../principal-name.js';

/** Of the oldest and of the newest: all of them, every time, would be much to ask of a target with many leases. */
const LOOKED_AT = 20;

interface Named {
  principal: string;
  /** One of our issuers made it. */
  made: boolean;
}

const NAMED = `
WITH named AS (SELECT oid, rolname::text AS principal FROM pg_roles WHERE starts_with(rolname, $1) AND rolcanlogin)
SELECT principal, EXISTS (
         SELECT FROM pg_auth_members m WHERE m.roleid = named.oid AND m.admin_option AND m.member::regrole::text = ANY ($2)) AS made
FROM (SELECT * FROM (SELECT * FROM named ORDER BY principal LIMIT ${LOOKED_AT}) AS oldest
      UNION SELECT * FROM (SELECT * FROM named ORDER BY principal DESC LIMIT ${LOOKED_AT}) AS newest) AS named
ORDER BY principal`;

export async function nameFindings(client: Client, namespace: string): Promise<TargetFinding[]> {
  const { rows } = await client.query<Named>(NAMED, [`k${namespace}`, issuersOf(MOST_ISSUERS)]);
  const ours = new Map(rows.map((row) => [leaseIdOf(namespace, row.principal), row]));
  // What does not read back to a lease can never be a name of ours.
  ours.delete(null);
  if (ours.size === 0) return [];
  const fenced = await fencedOf(client, [...ours.keys()]);
  const foreign = [...ours].filter(([leaseId, { made }]) => !made || !fenced.has(leaseId));
  const [first] = foreign;
  if (first === undefined) return [];
  const [, { principal, made }] = first;
  return [
    {
      code: 'ERR_TARGET_NAME_TAKEN',
      what: `role ${principal} ${made ? 'is of another Mayfly' : 'was made by somebody else'}, and its name is of our namespace \`${namespace}\``,
      how: 'give this installation a `namespace` of its own in targets.yaml, or have the other drop its roles; a role that was made by hand is dropped by hand',
    },
  ];
}

/** @returns leases that have a row, or all where the rows cannot be read: that is a finding of its own. */
async function fencedOf(
  client: Client,
  leaseIds: readonly (string | null)[],
): Promise<ReadonlySet<string | null>> {
  try {
    const { rows } = await client.query<{ leaseId: string }>(
      'SELECT lease_id::text AS "leaseId" FROM mayfly.fence WHERE lease_id = ANY ($1::uuid[])',
      [leaseIds],
    );
    return new Set(rows.map(({ leaseId }) => leaseId));
  } catch {
    return new Set(leaseIds);
  }
}
