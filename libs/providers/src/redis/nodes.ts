/** All nodes of a target, and how what was seen on each becomes one observation of the target. */
import type { Log } from '#telemetry/log.js';
import type { Observation } from '../provider.js';
import type { State } from './acl.js';
import { Connection, type Use } from './connection.js';
import type { RedisSettings } from './settings.js';

export type Node = Readonly<Record<Use, Connection>>;

export const openNodes = (settings: RedisSettings, log: Log): Node[] =>
  settings.nodes.map((place) => {
    const open = (use: Use) => new Connection(place, use, settings, log);
    return { create: open('create'), cut: open('cut'), tidy: open('tidy') };
  });

/** Connects what somebody will wait for. A node that is away now is connected to when it is needed. */
export function warmNodes(nodes: readonly Node[], log: Log): void {
  for (const node of nodes)
    for (const use of ['create', 'cut'] as const)
      node[use].open().then(
        ({ unfit }) => {
          if (unfit !== null)
            log.error({ node: node[use].node, reason: unfit }, 'node is not fit to lend from');
        },
        (error: unknown) =>
          log.warn({ err: error, node: node[use].node, use }, 'target cannot be reached yet'),
      );
}

export async function closeNodes(nodes: readonly Node[]): Promise<void> {
  await Promise.all(nodes.flatMap((node) => Object.values(node).map((connection) => connection.close())));
}

/** What was seen on one node. */
export interface NodeLook {
  state: State;
  sessions: number;
  runId: string;
}

/**
 * @param looks one for each node; null: it could not be looked at, so nothing is known of the whole, unless access is seen elsewhere
 */
export function observationOf(looks: readonly (NodeLook | null)[], atMs: number): Observation {
  const seen = looks.filter((look) => look !== null);
  const sessions = seen.reduce((sum, look) => sum + look.sessions, 0);
  const isLive = sessions > 0 || seen.some(({ state }) => state === 'live');
  // Two entries that lead to one server leave another one unseen.
  const servers = new Set(seen.map(({ runId }) => runId)).size;
  const isWhole = servers === looks.length;
  return {
    state: isLive
      ? 'live'
      : !isWhole
        ? 'unknown'
        : seen.some(({ state }) => state === 'disabled')
          ? 'disabled'
          : 'absent',
    sessions: isLive || isWhole ? sessions : null,
    atMs,
    incarnation: servers === 0 ? '' : looks.map((look) => look?.runId ?? '-').join('+'),
    nodes: { seen: servers, expected: looks.length },
  };
}
