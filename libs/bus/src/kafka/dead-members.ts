/**
 * Members of a group whose processes were killed. Kafka waits for them until their session time-out is over, and assigns nobody anything
 * meanwhile. So each member tells the id of its process with what it wants to read, and whoever comes next leaves in the name of those that
 * are dead: LeaveGroup takes the id of any member.
 */
import type { Admin, Kafka, PartitionAssigner } from 'kafkajs';
import type { Log } from '#telemetry/log.js';
import type { Subscription } from '../bus.js';
import { clusterOf, kafkajs } from './client.js';

const { AssignerProtocol, PartitionAssigners } = kafkajs;

/** Round robin, by a member that tells the id of its process. */
export const tellingAssigner =
  (processId: string): PartitionAssigner =>
  (config) => {
    const roundRobin = PartitionAssigners.roundRobin(config);
    const { name, version } = roundRobin;
    return {
      ...{ name, version, assign: (members) => roundRobin.assign(members) },
      protocol: ({ topics }) => {
        const userData = Buffer.from(processId);
        return { name, metadata: AssignerProtocol.MemberMetadata.encode({ version, topics, userData }) };
      },
    };
  };

/**
 * Takes them out of the group. Who tells no process is let alone. Never rejects: what is not taken out lapses by itself.
 * @returns how many there were
 */
export async function leaveForDead(
  kafka: Kafka,
  admin: Admin,
  { group, process }: Pick<Subscription, 'group' | 'process'>,
  log: Log,
): Promise<number> {
  if (process === undefined) return 0;
  try {
    const dead: string[] = [];
    for (const { memberId, processId } of await membersOf(admin, group))
      if (processId !== '' && (await process.isDead(processId))) dead.push(memberId);
    if (dead.length > 0) await leave(kafka, group, dead);
    if (dead.length > 0) log.info({ members: dead.length }, 'members that were killed are out of the group');
    return dead.length;
  } catch (error) {
    log.warn({ err: error }, 'members that were killed stay until their sessions are over');
    return 0;
  }
}

async function membersOf(admin: Admin, group: string): Promise<{ memberId: string; processId: string }[]> {
  const { groups } = await admin.describeGroups([group]);
  return groups.flatMap(({ members }) =>
    members.map(({ memberId, memberMetadata }) => ({ memberId, processId: processIdIn(memberMetadata) })),
  );
}

/** Empty while a group is being formed anew, and of clients that are not ours. */
function processIdIn(metadata: Buffer): string {
  if (metadata.length === 0) return '';
  return AssignerProtocol.MemberMetadata.decode(metadata)?.userData?.toString() ?? '';
}

async function leave(kafka: Kafka, groupId: string, memberIds: readonly string[]): Promise<void> {
  const cluster = clusterOf(kafka);
  await cluster.connect();
  try {
    const coordinator = await cluster.findGroupCoordinator({ groupId });
    for (const memberId of memberIds) await coordinator.leaveGroup({ groupId, memberId });
  } finally {
    await cluster.disconnect();
  }
}
