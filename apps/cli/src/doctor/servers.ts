/** Mayfly's own PostgreSQL and the targets': that they answer, are not one cluster, and agree with this clock. */
import type { Client } from 'pg';
import { fail, ok, warn, wordsOf } from './finding.js';
import type { Finding } from './finding.js';

export interface ServerSeen {
  /** Names the cluster, for life. */
  systemIdentifier: string;
  /** Such as `18.4`. */
  version: string;
  /** Server's clock less ours. */
  skewMs: number;
  /** Half of the round trip: the skew is known to within this. */
  withinMs: number;
}

/** One look at a server through a connected client. */
export async function lookAt(client: Client): Promise<ServerSeen> {
  // The first query of a connection pays for more than the trip.
  await client.query('SELECT 1');
  const askedAtMs = Date.now();
  const { rows } = await client.query<{ ms: number; system: string; version: string }>(
    `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::float8 AS ms,
            (SELECT system_identifier::text FROM pg_control_system()) AS system,
            current_setting('server_version') AS version`,
  );
  const answeredAtMs = Date.now();
  const { ms, system, version } = rows[0]!;
  return {
    systemIdentifier: system,
    version: version.split(' ')[0]!,
    skewMs: Math.round(ms - (askedAtMs + answeredAtMs) / 2),
    withinMs: Math.ceil((answeredAtMs - askedAtMs) / 2),
  };
}

/** @param maxSkewMs what the services are configured to allow for */
export function serverFindings(what: string, seen: ServerSeen, maxSkewMs: number): Finding[] {
  const clock = `${seen.skewMs} ms from this clock (± ${seen.withinMs} ms)`;
  const synchronise = 'synchronise the clocks (NTP), or raise trust.maxClockSkewMs';
  return [
    ok(what, `PostgreSQL ${seen.version}`),
    Math.abs(seen.skewMs) - seen.withinMs > maxSkewMs
      ? fail(`${what}: clock`, clock, synchronise)
      : Math.abs(seen.skewMs) > maxSkewMs / 2
        ? warn(`${what}: clock`, clock, synchronise)
        : ok(`${what}: clock`, clock),
  ];
}

export const unreachable = (what: string, error: unknown): Finding =>
  fail(
    what,
    wordsOf(error),
    'npm start, or see that the server runs and the login in the state folder is its own',
  );

/** Whoever can stop a target's server, or fill its disk, would otherwise stop Mayfly with it. */
export function separateClusters(own: ServerSeen, target: ServerSeen): Finding {
  const what = 'database apart from the target';
  return own.systemIdentifier === target.systemIdentifier
    ? fail(what, 'one cluster', "move Mayfly's database to a cluster of its own")
    : ok(what, 'two clusters');
}
