/** What an event is decided by, and what is told of one that was refused: also when it is asked again. */
import { decideAmendment } from '#events/amend-task.js';
import { decideStart } from '#events/declare-task.js';
import type { TaskAmended, TaskStarted } from '#events/inbound.js';
import type { Refusal } from '#events/refusal.js';
import type { Decided, Sender } from '#events/task.js';
import { unreachable } from '#events/unreachable.js';
import type { Admitted } from '#identity/admit.js';
import type { Tx } from '#store/database.js';
import { hasEvent } from '#store/events.js';
import type { BrokerParts } from './broker-parts.js';
import type { UnitOfWork } from './unit-of-work.js';

export const senderOf = ({
  sender,
  proofKeyThumbprint,
  ceId,
  principalProof,
  cannotWait,
}: Admitted): Sender => ({
  id: sender,
  keyThumbprint: proofKeyThumbprint,
  ceId,
  ...(principalProof !== undefined && { principalProved: true }),
  ...(cannotWait === true && { cannotWait }),
});

export const startFacts = (
  work: UnitOfWork,
  start: TaskStarted,
  sender: string,
  { catalogue, judge, maxDepth }: BrokerParts,
) => ({
  catalogue,
  judge,
  maxDepth,
  ancestors: work.chainFrom(start.parent?.taskId),
  openTasksOfSender: work.openTasksOf(sender),
  standing: work.standing.of(sender),
  nowMs: work.nowMs,
});

export const amendmentFacts = (
  work: UnitOfWork,
  { taskId }: TaskAmended,
  { catalogue, judge }: BrokerParts,
) => ({
  catalogue,
  judge,
  ancestors: work.ancestorsOf(work.task(taskId)),
  nowMs: work.nowMs,
});

type Refused = Extract<Decided, { is: 'refused' }>;

/** As it was told. */
export const refusalIn = ({ data: { code, reason, problems } }: Refused['event']): Refusal => ({
  code,
  reason,
  ...(problems === undefined
    ? {}
    : {
        problems: problems.map(({ fields, ...each }) => ({
          ...each,
          ...(fields === undefined ? {} : { fields }),
        })),
      }),
});

/** What was refused left nothing: why, is found by deciding it once more, without effect. Undefined for what had its effect. */
export async function decideRefusedAgain(
  tx: Tx,
  work: UnitOfWork,
  admitted: Admitted,
  parts: BrokerParts,
): Promise<Decided | undefined> {
  const { event, ceId } = admitted;
  const by = senderOf(admitted);
  const task = work.task(event.data.taskId);
  switch (event.type) {
    case 'task.started':
      return task.declaration === null
        ? decideStart(task, event.data, by, startFacts(work, event.data, by.id, parts))
        : undefined;
    case 'task.amended':
      return (await hasEvent(tx, task.taskId, 'task.amended', ceId))
        ? undefined
        : decideAmendment(task, event.data, by, amendmentFacts(work, event.data, parts));
    case 'task.ended':
    case 'tool.called':
    case 'tool.completed':
    case 'lease.renewal_requested':
      return undefined;
    default:
      return unreachable(event);
  }
}
