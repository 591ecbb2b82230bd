/**
 * What a task declared, asked for, was granted and used, side by side: a row for each agent, tool, dataset and action. Pure: from the
 * declaration as it is now, and the events of the task's stream in their order.
 */
import type { EventOf } from './outbound.js';
import type { Declaration, UsageReported } from './task.js';
import { unreachable } from './unreachable.js';
import { isDeclared } from './walls.js';

export interface DriftRow {
  /** Absent: declared for every agent of the task, and none has asked for it. */
  agent?: string;
  tool: string;
  dataset?: string;
  action: string;
  declared: boolean;
  /** Calls. Each is granted, refused or waiting. */
  requested: number;
  /** They came to a credential. */
  granted: number;
  refused: number;
  /** For people, or for the target. */
  waiting: number;
  /** Calls that somebody saw made; one that the tool refused was not. */
  used: number;
  /** As reported, of all that report on them. */
  rows: number;
}

export interface DriftTable {
  /** By tool, dataset, action and agent. */
  rows: DriftRow[];
  /** Reports that name no call of these: of an earlier release, or of calls that are not counted here. */
  unattributed: { reports: number; rows: number };
}

/** Types of a stream that the table is made of. */
export const DRIFT_EVENTS = [
  'call.decided',
  'lease.issued',
  'lease.abandoned',
  'approval.refused',
  'approval.expired',
  'approval.withdrawn',
  'task.usage_reported',
] as const;
export type DriftEvent =
  EventOf<Exclude<(typeof DRIFT_EVENTS)[number], 'task.usage_reported'>> | UsageReported;

interface SeenCall {
  agent: string;
  tool: string;
  dataset?: string | undefined;
  action: string;
  state: 'waiting' | 'granted' | 'refused';
  used: boolean;
  rows: number;
}

/** A call counts once, however often it was decided. Events of calls whose decision is not among these are passed over. */
export function driftTable(
  declaration: Pick<Declaration, 'declared'>,
  events: readonly DriftEvent[],
): DriftTable {
  const calls = new Calls();
  for (const event of events) calls.hear(event);
  const rows = new Map<string, DriftRow>();
  for (const call of calls.all()) count(rowOf(rows, call, isDeclared(declaration, call, call.agent)), call);
  addDeclared(rows, declaration);
  return {
    rows: [...rows.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, row]) => row),
    unattributed: calls.unattributed,
  };
}

class Calls {
  readonly unattributed = { reports: 0, rows: 0 };
  /** Ids of calls are unique only per agent. */
  readonly #byId = new Map<string, Map<string, SeenCall>>();
  readonly #byLease = new Map<string, SeenCall>();

  all(): SeenCall[] {
    return [...this.#byId.values()].flatMap((agents) => [...agents.values()]);
  }

  hear(event: DriftEvent): void {
    switch (event.type) {
      case 'call.decided':
        return this.#decided(event.data);
      case 'lease.issued': {
        const call = this.#byLease.get(event.data.leaseId);
        if (call !== undefined) call.state = 'granted';
        return;
      }
      case 'lease.abandoned': {
        const call = this.#byLease.get(event.data.leaseId);
        // Decided again, it has another lease by the next event.
        if (call?.state === 'waiting') call.state = 'refused';
        return;
      }
      case 'approval.refused':
      case 'approval.expired':
      case 'approval.withdrawn': {
        const call = this.#byId.get(event.data.callId)?.get(event.data.agent);
        // What was withdrawn after its use had been granted.
        if (call?.state === 'waiting') call.state = 'refused';
        return;
      }
      case 'task.usage_reported':
        return this.#reported(event.data);
      default:
        return unreachable(event);
    }
  }

  #decided(decided: EventOf<'call.decided'>['data']): void {
    const { callId, agent, tool, dataset, action, decision, leaseId } = decided;
    const agents = this.#byId.get(callId) ?? new Map<string, SeenCall>();
    this.#byId.set(callId, agents);
    const call = agents.get(agent) ?? newCall({ agent, tool, dataset, action });
    agents.set(agent, call);
    call.state = decision === 'deny' ? 'refused' : 'waiting';
    if (leaseId !== undefined) this.#byLease.set(leaseId, call);
  }

  #reported({ id, agent = id, callId, leaseId, outcome, rows }: UsageReported['data']): void {
    const call = this.#byLease.get(leaseId ?? '') ?? this.#callOf(callId ?? '', agent);
    if (call === undefined) {
      this.unattributed.reports += 1;
      this.unattributed.rows += rows;
      return;
    }
    if (outcome !== 'refused') call.used = true;
    call.rows += rows;
  }

  /** That of who acted or reports; else the only one of this id: a tool may not know the agent. */
  #callOf(callId: string, agent: string): SeenCall | undefined {
    const agents = this.#byId.get(callId);
    const [only, ...others] = agents?.values() ?? [];
    return agents?.get(agent) ?? (others.length === 0 ? only : undefined);
  }
}

const newCall = (asked: Pick<SeenCall, 'agent' | 'tool' | 'dataset' | 'action'>): SeenCall => ({
  ...asked,
  state: 'waiting',
  used: false,
  rows: 0,
});

type Act = Pick<SeenCall, 'tool' | 'dataset' | 'action'> & { agent?: string };

/** Sorts as the rows do. */
const keyOf = ({ tool, dataset = '', action, agent = '' }: Act) => [tool, dataset, action, agent].join('\0');

function rowOf(rows: Map<string, DriftRow>, act: Act, declared: boolean): DriftRow {
  const known = rows.get(keyOf(act));
  if (known !== undefined) return known;
  const { agent, tool, dataset, action } = act;
  const row = {
    ...(agent === undefined ? {} : { agent }),
    ...{ tool, ...(dataset === undefined ? {} : { dataset }), action, declared },
    ...{ requested: 0, granted: 0, refused: 0, waiting: 0, used: 0, rows: 0 },
  };
  rows.set(keyOf(act), row);
  return row;
}

function count(row: DriftRow, { state, used, rows }: SeenCall): void {
  row.requested += 1;
  row[state] += 1;
  if (used) row.used += 1;
  row.rows += rows;
}

/** What nobody has asked for is there too. */
function addDeclared(rows: Map<string, DriftRow>, { declared }: Pick<Declaration, 'declared'>): void {
  const asked = new Set(
    [...rows.values()].flatMap(({ agent: _agent, ...act }) => (act.declared ? [keyOf(act)] : [])),
  );
  for (const { tool, dataset, actions, agents } of declared)
    for (const action of actions) {
      const act = { tool, dataset, action };
      for (const agent of agents ?? []) rowOf(rows, { ...act, agent }, true);
      if (agents === undefined && !asked.has(keyOf(act))) rowOf(rows, act, true);
    }
}
