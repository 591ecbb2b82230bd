/** One call out of the broker's database: every decision on it, with the inputs that are still kept, and what followed. */
import type { RecordedCall } from '#policy/replay/rejudge.js';
import type { Tx } from '#store/database.js';
import { CliError } from '../failure.js';

export interface CallNames {
  callId: string;
  /** Ids of calls are unique only within a task and an agent. */
  task?: string | undefined;
  agent?: string | undefined;
}

export interface Followed {
  type: string;
  at: string;
  /** Of a refusal. */
  code?: string;
  leaseId?: string;
}

export interface CallHistory {
  /** In order: a call is decided again when it was approved, or when its lease was abandoned. At least one. */
  decisions: [RecordedCall, ...RecordedCall[]];
  /** Other events of the call, in order. */
  followed: Followed[];
}

/** @throws CliError ERR_CLI_NOT_FOUND; ERR_CLI_USAGE where several calls have these names, listing them */
export async function readCall(tx: Tx, names: CallNames): Promise<CallHistory> {
  const { callId, task, agent } = names;
  const { rows } = await tx.query<RecordedCall>(
    `SELECT data AS decided, (SELECT inputs FROM decision_input WHERE digest = data ->> 'inputs') AS inputs
       FROM event
      WHERE type = 'call.decided' AND data ->> 'callId' = $1
        AND ($2::text IS NULL OR stream = $2) AND ($3::text IS NULL OR data ->> 'agent' = $3)
      ORDER BY stream, version`,
    [callId, task ?? null, agent ?? null],
  );
  const [first, ...rest] = rows;
  if (first === undefined)
    throw new CliError('ERR_CLI_NOT_FOUND', `the broker keeps no decision on the call ${shown(names)}`);
  const calls = new Map(rows.map(({ decided }) => [`${decided.taskId} by ${decided.agent}`, decided]));
  if (calls.size > 1)
    throw new CliError(
      'ERR_CLI_USAGE',
      `several calls have this id, say which with --task and --agent: ${[...calls.keys()].join(', ')}`,
    );
  const { taskId, agent: by } = first.decided;
  return { decisions: [first, ...rest], followed: await followedBy(tx, taskId, by, callId) };
}

async function followedBy(tx: Tx, taskId: string, agent: string, callId: string): Promise<Followed[]> {
  const { rows } = await tx.query<{ type: string; at: string; code: string | null; leaseId: string | null }>(
    `SELECT type, data ->> 'at' AS at, data ->> 'code' AS code, data ->> 'leaseId' AS "leaseId" FROM event
      WHERE stream = $1 AND type <> 'call.decided' AND data ->> 'callId' = $2 AND data ->> 'agent' = $3
      ORDER BY version`,
    [taskId, callId, agent],
  );
  return rows.map(({ type, at, code, leaseId }) => ({
    ...{ type, at },
    ...(code === null ? {} : { code }),
    ...(leaseId === null ? {} : { leaseId }),
  }));
}

const shown = ({ callId, task, agent }: CallNames): string =>
  [
    callId,
    ...(task === undefined ? [] : [`of task ${task}`]),
    ...(agent === undefined ? [] : [`by ${agent}`]),
  ].join(' ');
