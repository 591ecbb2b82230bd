/** Decisions: how often what was decided, which agents were seen, and what a lease was decided on. */
import type { Change } from './tables.js';
import type { Told } from './told.js';

const DAY_MS = 86_400_000;

export function ofDecision(told: Told): readonly Change[] {
  const [agent, decision, atMs] = [told.text('agent'), told.text('decision'), told.atMs('at')];
  if (agent === undefined || decision === undefined || atMs === undefined) return [];
  return [
    ...(told.repeated ? [] : [counted(told, decision, atMs), seen(told, decision, atMs)]),
    ...(decision === 'permit' ? decidedFor(told) : []),
  ];
}

function counted(told: Told, decision: string, atMs: number): Change {
  const dayAtMs = Math.floor(atMs / DAY_MS) * DAY_MS;
  const or = (member: string): string => told.text(member) ?? '';
  return {
    table: 'decision_count',
    facts: {
      ...{ day: new Date(dayAtMs).toISOString().slice(0, 10), tenant: or('tenant'), agent: or('agent') },
      ...{ tool: or('tool'), dataset: or('dataset'), action: or('action'), decision, code: or('code') },
      ...{ day_at_ms: dayAtMs, count: 1, seq_first: told.seq, seq_last: told.seq },
    },
  };
}

function seen(told: Told, decision: string, atMs: number): Change {
  const [model, version] = [told.within('model', 'name'), told.within('model', 'version')];
  return {
    table: 'agent_seen',
    facts: {
      ...{ tenant: told.text('tenant') ?? '', agent: told.text('agent') ?? '' },
      ...{ first_seen_at_ms: atMs, last_seen_at_ms: atMs, calls: 1 },
      ...{ permitted: decision === 'permit' ? 1 : 0, refused: decision === 'deny' ? 1 : 0 },
      models: model === undefined ? [] : [version === undefined ? model : `${model} ${version}`],
      ...{ seq_first: told.seq, seq_last: told.seq },
    },
  };
}

function decidedFor(told: Told): readonly Change[] {
  const leaseId = told.text('leaseId');
  if (leaseId === undefined) return [];
  return [
    {
      table: 'access_grant',
      facts: {
        ...{ lease_id: leaseId, task_id: told.text('taskId'), tenant: told.text('tenant') },
        ...{ agent: told.text('agent'), call_id: told.text('callId') },
        ...{ tool: told.text('tool'), dataset: told.text('dataset'), action: told.text('action') },
        ...{ policy_set: told.text('policySet'), seq_decided: told.seq, seq_changed: told.seq },
      },
    },
  ];
}
