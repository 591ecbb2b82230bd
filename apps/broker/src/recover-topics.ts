/**
 * After a topic was made anew: what was said on it and not yet read is gone, an end for instance. So every task is suspended
 * until its orchestrator speaks again, in a new generation: the revoker cuts what was made before. Where the credential topic is
 * the one, the revoker may never have read of leases that are out there: their intents are told again, and it knows them.
 */
import { pinRefusal } from '#events/entitlement.js';
import { serviceSource } from '#events/services.js';
import { decideResumption, decideSuspension } from '#events/suspend-task.js';
import { CREDENTIAL_EVENTS } from '#events/topics.js';
import type { Admitted } from '#identity/admit.js';
import { transact } from '#store/database.js';
import { forgetPositions } from '#store/store-meta.js';
import type { BrokerParts } from './broker-parts.js';
import { leasesNotOver } from './call-rows.js';
import { GROUP } from './records.js';
import { openTasks } from './task-rows.js';
import { UnitOfWork } from './unit-of-work.js';

const AT_ONCE = 100;
const CAUSE = 'topic_recreated';

/** Doing it twice does nothing more but tell some intents again, which changes nothing. */
export async function recoverTopics(parts: BrokerParts, topics: readonly string[]): Promise<void> {
  if (topics.length === 0) return;
  await transact(parts.db, (tx) => forgetPositions(tx, GROUP, topics));
  await suspendAll(parts);
  if (topics.includes(CREDENTIAL_EVENTS)) await tellLeasesAgain(parts);
}

async function suspendAll({ db, relay, instanceId, log }: BrokerParts): Promise<void> {
  const open = await transact(db, openTasks);
  for (let i = 0; i < open.length; i += AT_ONCE) {
    const taskIds = open.slice(i, i + AT_ONCE);
    const queued = await transact(db, async (tx) => {
      const work = await UnitOfWork.begin(tx, { taskIds });
      for (const taskId of taskIds) {
        const facts = { cause: CAUSE, causedBy: undefined, nowMs: work.nowMs } as const;
        for (const event of decideSuspension(work.task(taskId), facts)) work.record(taskId, event);
      }
      return await work.flush(instanceId);
    });
    await relay.send(queued);
  }
  log.warn({ tasks: open.length }, 'a topic was made anew: tasks wait for a word of their orchestrators');
}

async function tellLeasesAgain({ db, relay, instanceId }: BrokerParts): Promise<void> {
  for (let after = ''; ;) {
    const leases = await transact(db, (tx) => leasesNotOver(tx, after, AT_ONCE));
    const queued = await transact(db, async (tx) => {
      const work = await UnitOfWork.begin(tx, { taskIds: [] });
      for (const { state, intent } of leases) {
        const { leaseId, taskId, callId, generation, tenant } = intent;
        work.publish({ type: 'lease.intended', data: intent });
        if (state !== 'abandoned') continue;
        work.publish({
          type: 'lease.abandoned',
          data: {
            ...{ taskId, generation, ...(tenant === undefined ? {} : { tenant }) },
            ...{ actor: serviceSource('broker'), at: new Date(work.nowMs).toISOString() },
            ...{ leaseId, callId, answered: false, why: CAUSE },
          },
        });
      }
      return await work.flush(instanceId);
    });
    await relay.send(queued);
    after = leases.at(-1)?.intent.leaseId ?? after;
    if (leases.length < AT_ONCE) return;
  }
}

/**
 * Any new event of the task's own orchestrator, under the key it has had all along, is its word that the task goes on: what
 * it sent before, the end for instance, it would send again. A task that is not so suspended is left alone. Requires that the
 * event was never handled before: one that is played back is no word.
 * @returns whether it was such a word
 */
export function resumeOnOrchestratorsWord(work: UnitOfWork, admitted: Admitted): boolean {
  const task = work.task(admitted.event.data.taskId);
  if (admitted.sender !== task.declaration?.orchestrator || !task.suspendedFor.includes(CAUSE)) return false;
  if (pinRefusal(task, admitted.sender, admitted.proofKeyThumbprint) !== null) return false;
  const facts = { cause: CAUSE, causedBy: admitted.ceId, nowMs: work.nowMs } as const;
  for (const event of decideResumption(task, facts)) work.record(task.taskId, event);
  return true;
}
