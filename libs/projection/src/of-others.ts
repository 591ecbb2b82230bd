/** Tasks, policies, and access that no lease explains. */
import type { Change } from './tables.js';
import type { Told } from './told.js';

export function ofTask(type: 'task.accepted' | 'task.ended', told: Told): readonly Change[] {
  const taskId = told.text('taskId');
  if (taskId === undefined) return [];
  const its = { task_id: taskId, tenant: told.text('tenant') };
  const facts =
    type === 'task.accepted'
      ? {
          ...{ orchestrator: told.text('orchestrator'), risk: told.text('risk') },
          ...{ principal: told.within('principal', 'id'), principal_kind: told.within('principal', 'kind') },
          ...{ accepted_at_ms: told.atMs('at'), seq_accepted: told.seq },
        }
      : { ended_at_ms: told.atMs('at'), outcome: told.text('outcome'), seq_ended: told.seq };
  return [{ table: 'task_life', facts: { ...its, ...facts } }];
}

export function ofPolicy(told: Told): readonly Change[] {
  if (told.id === undefined) return [];
  return [
    {
      table: 'policy_activation',
      facts: {
        ...{ event_id: told.id, policy_set: told.text('policySet'), previous: told.text('previous') },
        ...{ added: told.list('added'), removed: told.list('removed'), changed: told.list('changed') },
        ...{ policies: told.whole('policies'), activated_by: told.text('by') },
        ...{ activated_at_ms: told.atMs('at'), seq_activated: told.seq },
      },
    },
  ];
}

export function ofStandingAccess(
  type: 'standing_access.found' | 'standing_access.gone',
  told: Told,
): readonly Change[] {
  const [target, principal, atMs] = [told.text('target'), told.text('principal'), told.atMs('at')];
  if (target === undefined || principal === undefined || atMs === undefined) return [];
  const its = { target, principal, provider: told.text('provider'), told_at_ms: atMs, seq_told: told.seq };
  const facts =
    type === 'standing_access.found'
      ? {
          ...{ reaches: told.list('reaches') ?? null, more: told.whole('more') ?? null },
          ...{ ways: told.list('ways') ?? null, never_expires: told.flag('neverExpires') ?? null },
          ...{ owners: told.list('owners') ?? null, found_at_ms: atMs, seq_found: told.seq },
          ...{ gone_at_ms: null, why: null },
        }
      : { gone_at_ms: atMs, why: told.text('why') ?? null };
  return [{ table: 'standing_access', facts: { ...its, ...facts } }];
}
