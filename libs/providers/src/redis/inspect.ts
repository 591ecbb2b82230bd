/** What our accounts at Redis have to be able to ask. Only the revoker may list users, so the broker asks for one that nobody has. */
import { v7 as uuidv7 } from 'uuid';
import type { Log } from '#telemetry/log.js';
import { principalOf } from '../principal-name.js';
import type { TargetUser } from '../target-finding.js';
import { isThere, namesAt } from './list.js';
import { closeNodes, openNodes, type Node } from './nodes.js';
import type { RedisSettings } from './settings.js';

/** Asks every node. @throws ProviderError */
export async function askRedis(settings: RedisSettings, user: TargetUser, log: Log): Promise<void> {
  const nodes = openNodes(settings, log);
  try {
    for (const node of nodes) await ASK[user](node, settings.namespace);
  } finally {
    await closeNodes(nodes);
  }
}

const ASK: Record<TargetUser, (node: Node, namespace: string) => Promise<unknown>> = {
  broker: (node, namespace) => isThere(node, [{ principal: principalOf(namespace, uuidv7()) }]),
  revoker: namesAt,
};
