/** Calls and their leases as rows. */
import type { AgentStanding } from '#events/agent-standing.js';
import type { Approval } from '#events/approval.js';
import type { ToolCalled } from '#events/inbound.js';
import { leaseOf, type Lease } from '#events/lease.js';
import type { EventOf } from '#events/outbound.js';
import type { RefusalCode } from '#events/refusal.js';
import type { Sender } from '#events/task.js';
import type { Tx } from '#store/database.js';
import type { Write } from '#store/writes.js';
import { standingOf, Standings } from './agents/standing-rows.js';
import { APPROVAL_OF_CALL } from './approvals/approval-rows.js';

/** Where its sender hears of a call: on the delivery topic, or in the reply to its request. */
export type AnsweredIn = 'delivery' | 'reply';

/** What a call comes to, sooner or later. */
export type CallOutcome =
  | { is: 'issued'; envelope: string }
  | { is: 'refused'; code: RefusalCode; reasons: readonly string[] }
  /** No outcome yet, and none until people have said a word. */
  | { is: 'waiting'; approval: Approval };

export interface Call {
  taskId: string;
  agent: string;
  callId: string;
  /** Of the call's data: the same call may be asked again, another under its id may not. */
  contentSha256: string;
  /** `waiting`: for people. */
  state: 'pending' | 'waiting' | 'issued' | 'refused';
  code: RefusalCode | null;
  reasons: string[];
  leaseId: string | null;
  /** What people were asked for it. */
  approval: Approval | null;
  /** Leases intended for it so far. */
  attempts: number;
  request: ToolCalled;
  sender: Sender;
  /** Asked again on the bus meanwhile, it is answered there too. */
  answeredIn: AnsweredIn;
}

export type Intended = EventOf<'lease.intended'>['data'];

export interface CallKey {
  taskId: string;
  agent: string;
  callId: string;
}
export const keyOfCall = ({ taskId, agent, callId }: CallKey) => `${taskId} ${callId} ${agent}`;

export interface Facts {
  /** The database's clock, epoch ms. */
  nowMs: number;
  calls: Call[];
  /** In how many tasks each of the senders acts: one that is suspended may go on, so it counts. */
  open: Record<string, number>;
  /** How many of their calls wait for people. */
  waiting: Record<string, number>;
  standing: Standings;
}

/** What is to be known under the locks of the tasks, in one round trip. Requires that they are held: the clock is read after them. */
export async function readFacts(
  tx: Tx,
  keys: readonly CallKey[],
  senders: readonly string[],
  agents: readonly string[],
): Promise<Facts> {
  const { rows } = await tx.query<Omit<Facts, 'standing'> & { standing: Record<string, AgentStanding> }>({
    name: 'read-facts',
    text: `SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS "nowMs",
      (SELECT coalesce(jsonb_agg(jsonb_build_object(
                'taskId', task_id, 'agent', agent, 'callId', call_id, 'contentSha256', content_sha256, 'state', state,
                'code', code, 'reasons', reasons, 'leaseId', lease_id, 'attempts', attempts, 'request', request,
                'sender', sender, 'answeredIn', answered_in, 'approval', (${APPROVAL_OF_CALL}))), '[]')
         FROM call JOIN unnest($1::text[], $2::text[], $3::text[]) AS k(task_id, agent, call_id)
              USING (task_id, agent, call_id)) AS calls,
      (SELECT coalesce(jsonb_object_agg(sender, open), '{}')
         FROM (SELECT sender, count(*) AS open FROM task_sender JOIN task USING (task_id)
                WHERE status IN ('open', 'suspended') AND sender = ANY($4::text[]) GROUP BY sender) AS counted) AS open,
      (SELECT coalesce(jsonb_object_agg(agent, asked), '{}')
         FROM (SELECT agent, count(*) AS asked FROM approval
                WHERE status = 'open' AND agent = ANY($4::text[]) GROUP BY agent) AS counted) AS waiting,
      ${standingOf('$5')} AS standing`,
    values: [keys.map((k) => k.taskId), keys.map((k) => k.agent), keys.map((k) => k.callId), senders, agents],
  });
  const facts = rows[0] ?? { nowMs: Number.NaN, calls: [], open: {}, waiting: {}, standing: {} };
  return { ...facts, standing: new Standings(agents, facts.standing) };
}

/** What these calls have come to, in their order; null for those that are pending or not there. Takes no lock. */
export async function callOutcomes(tx: Tx, keys: readonly CallKey[]): Promise<(CallOutcome | null)[]> {
  const { rows } = await tx.query<CallKey & OutcomeRow>({
    name: 'call-outcomes',
    text: `SELECT task_id AS "taskId", agent, call_id AS "callId", call.state, code, reasons, envelope, (${APPROVAL_OF_CALL}) AS approval
             FROM call JOIN unnest($1::text[], $2::text[], $3::text[]) AS k(task_id, agent, call_id)
                  USING (task_id, agent, call_id)
             LEFT JOIN lease USING (task_id, agent, call_id, lease_id)
            WHERE call.state <> 'pending'`,
    values: [keys.map((k) => k.taskId), keys.map((k) => k.agent), keys.map((k) => k.callId)],
  });
  const found = new Map(rows.map((row) => [keyOfCall(row), outcomeOf(row)]));
  return keys.map((key) => found.get(keyOfCall(key)) ?? null);
}

interface OutcomeRow {
  state: Call['state'];
  code: RefusalCode | null;
  reasons: string[];
  envelope: string | null;
  approval: Approval | null;
}

/** An issued lease without its envelope is over: nothing is given out again. */
export const outcomeOf = ({ state, code, reasons, envelope, approval }: OutcomeRow): CallOutcome | null => {
  if (state === 'pending' || (state === 'waiting' && approval === null)) return null;
  if (state === 'waiting' && approval !== null) return { is: 'waiting', approval };
  if (state === 'refused') return { is: 'refused', code: code ?? 'ERR_LEASE_ABANDONED', reasons };
  return envelope === null
    ? { is: 'refused', code: 'ERR_LEASE_ENDED', reasons: [LEASE_ENDED] }
    : { is: 'issued', envelope };
};
export const LEASE_ENDED = 'the lease of this call has ended';

export function callsWrite(calls: readonly Call[]): Write | null {
  if (calls.length === 0) return null;
  return {
    sql: `INSERT INTO call (task_id, agent, call_id, content_sha256, state, code, reasons, lease_id, attempts, request, sender, answered_in, approval_id)
       SELECT * FROM ROWS FROM (unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[]),
                                jsonb_array_elements($7::jsonb), unnest($8::text[], $9::int[]), jsonb_array_elements($10::jsonb),
                                jsonb_array_elements($11::jsonb), unnest($12::text[], $13::text[]))
     ON CONFLICT (task_id, agent, call_id) DO UPDATE SET state = excluded.state, code = excluded.code,
       reasons = excluded.reasons, lease_id = excluded.lease_id, attempts = excluded.attempts,
       answered_in = excluded.answered_in, approval_id = excluded.approval_id`,
    values: [
      calls.map((c) => c.taskId),
      calls.map((c) => c.agent),
      calls.map((c) => c.callId),
      calls.map((c) => c.contentSha256),
      calls.map((c) => c.state),
      calls.map((c) => c.code),
      JSON.stringify(calls.map((c) => c.reasons)),
      calls.map((c) => c.leaseId),
      calls.map((c) => c.attempts),
      JSON.stringify(calls.map((c) => c.request)),
      JSON.stringify(calls.map((c) => c.sender)),
      calls.map((c) => c.answeredIn),
      calls.map((c) => c.approval?.requested.approvalId ?? null),
    ],
  };
}

export function leasesWrite(leases: readonly Intended[], claimedBy: string): Write | null {
  if (leases.length === 0) return null;
  return {
    sql: `INSERT INTO lease (lease_id, task_id, agent, call_id, state, intent, create_by, claimed_by)
       SELECT lease_id, task_id, agent, call_id, 'intended', intent, create_by, $7
         FROM ROWS FROM (unnest($1::text[], $2::text[], $3::text[], $4::text[]), jsonb_array_elements($5::jsonb), unnest($6::timestamptz[]))
                AS l(lease_id, task_id, agent, call_id, intent, create_by)`,
    values: [
      leases.map((l) => l.leaseId),
      leases.map((l) => l.taskId),
      leases.map((l) => l.agent),
      leases.map((l) => l.callId),
      JSON.stringify(leases),
      leases.map((l) => l.createBy),
      claimedBy,
    ],
  };
}

interface LeaseRow {
  state: Lease['state'];
  cut_heard: boolean;
  intent: Intended;
  envelope: string | null;
  use_reported: boolean;
}

/** Locks leases for the rest of the transaction; their tasks are locked before. */
export async function lockLeases(
  tx: Tx,
  leaseIds: readonly string[],
): Promise<Map<string, { lease: Lease; intent: Intended; envelope: string | null; useReported: boolean }>> {
  if (leaseIds.length === 0) return new Map();
  const { rows } = await tx.query<LeaseRow>({
    name: 'lock-leases',
    text: `SELECT state, cut_heard, intent, envelope, use_reported FROM lease WHERE lease_id = ANY($1::text[]) ORDER BY lease_id FOR UPDATE`,
    values: [leaseIds],
  });
  return new Map(
    rows.map(({ state, cut_heard, intent, envelope, use_reported }) => {
      const lease = { ...leaseOf({ type: 'lease.intended', data: intent }), state, cutHeard: cut_heard };
      return [intent.leaseId, { lease, intent, envelope, useReported: use_reported }];
    }),
  );
}

export interface DecidedLease {
  leaseId: string;
  state: 'issued' | 'abandoned';
  envelope: string | null;
}

export async function decideLeases(tx: Tx, decided: readonly DecidedLease[]): Promise<void> {
  if (decided.length === 0) return;
  await tx.query({
    name: 'decide-leases',
    text: `UPDATE lease SET state = d.state, envelope = d.envelope
             FROM unnest($1::text[], $2::text[], $3::text[]) AS d(lease_id, state, envelope)
            WHERE lease.lease_id = d.lease_id`,
    values: [decided.map((d) => d.leaseId), decided.map((d) => d.state), decided.map((d) => d.envelope)],
  });
}

/** The revoker is on its way: nothing will be issued, and no envelope is given out again. */
export async function markCut(tx: Tx, leaseIds: readonly string[]): Promise<void> {
  if (leaseIds.length === 0) return;
  await tx.query({
    name: 'mark-cut',
    text: `UPDATE lease SET cut_heard = true, cut_at = coalesce(cut_at, clock_timestamp()), envelope = NULL
            WHERE lease_id = ANY($1::text[])`,
    values: [leaseIds],
  });
}

/** Undecided leases that perhaps nobody works on: of other processes, and of this one where they have waited for some time. */
export async function undecidedLeases(
  tx: Tx,
  { own, lateMs, lostMs }: { own: string; lateMs: number; lostMs: number },
): Promise<{ intent: Intended; claimedBy: string; late: boolean }[]> {
  const { rows } = await tx.query<{ intent: Intended; claimedBy: string; late: boolean }>(
    `SELECT intent, claimed_by AS "claimedBy", create_by < clock_timestamp() - $2 * interval '1 millisecond' AS late
       FROM lease WHERE state = 'intended'
        AND (claimed_by <> $1 OR create_by < clock_timestamp() - $2 * interval '1 millisecond'
             OR (intent ->> 'at')::timestamptz < clock_timestamp() - $3 * interval '1 millisecond')
      ORDER BY create_by LIMIT 500`,
    [own, lateMs, lostMs],
  );
  return rows;
}

/**
 * Leases that this database has forgotten, as abandoned: none of them is ever issued, and their calls are answered no more.
 * @returns those that it did not know. Requires the locks of their tasks.
 */
export async function forgottenLeases(tx: Tx, leases: readonly Intended[]): Promise<Intended[]> {
  const { rows } = await tx.query<{ leaseId: string }>(
    `INSERT INTO lease (lease_id, task_id, agent, call_id, state, intent, create_by, claimed_by)
       SELECT lease_id, intent->>'taskId', intent->>'agent', intent->>'callId', 'abandoned', intent,
              (intent->>'createBy')::timestamptz, ''
         FROM unnest($1::text[], $2::jsonb[]) AS l(lease_id, intent)
     ON CONFLICT (lease_id) DO NOTHING RETURNING lease_id AS "leaseId"`,
    [leases.map(({ leaseId }) => leaseId), leases.map((lease) => JSON.stringify(lease))],
  );
  const forgotten = new Set(rows.map(({ leaseId }) => leaseId));
  return leases.filter(({ leaseId }) => forgotten.has(leaseId));
}

/** Leases that could still be renewed, by id, which is by age. */
export async function leasesNotOver(
  tx: Tx,
  after: string,
  limit: number,
): Promise<{ state: Lease['state']; intent: Intended }[]> {
  const { rows } = await tx.query<{ state: Lease['state']; intent: Intended }>(
    `SELECT state, intent FROM lease
      WHERE lease_id > $1 AND (intent->>'hardEnd')::timestamptz > clock_timestamp() ORDER BY lease_id LIMIT $2`,
    [after, limit],
  );
  return rows;
}

export function inputsWrite(inputs: ReadonlyMap<string, object>): Write | null {
  if (inputs.size === 0) return null;
  return {
    sql: `INSERT INTO decision_input (digest, inputs) SELECT * FROM ROWS FROM (unnest($1::text[]), jsonb_array_elements($2::jsonb)) ON CONFLICT DO NOTHING`,
    values: [[...inputs.keys()], JSON.stringify([...inputs.values()])],
  };
}
