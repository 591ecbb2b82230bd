/**
 * The sample task, end to end, told as it happens: declared, permitted, lent, used, refused, ended, cut, logged. Each step
 * is checked; the first that does not hold ends the story with an error.
 */
import { v7 as uuidV7 } from 'uuid';
import { Refused } from '#agent/refused.js';
import type { OpenedPostgres } from '#agent/open-envelope.js';
import type { EventOf, OutboundEvent } from '#events/outbound.js';
import { SAMPLE_ANALYST, SAMPLE_ORCHESTRATOR } from '../commands/context.js';
import { CliError } from '../failure.js';
import type { MayflyClient } from '../mayfly-client.js';
import { tellAudit } from './audit.js';
import type { Narrator } from './narrator.js';
import { openSession, untilRefused } from './probe.js';
import { SAMPLE_QUERY, sampleTask } from './sample-task.js';
import { tellStanding } from './standing.js';

/** How long any one step may take. */
export const STEP_WITHIN_MS = 20_000;
const LEASE_TTL_MS = 120_000;

export async function tellStory(client: MayflyClient, narrator: Narrator): Promise<void> {
  const taskId = uuidV7();
  narrator.title('The sample task');
  await declare(client, narrator, taskId);
  const credential = await borrow(client, narrator, taskId);
  const session = await openSession(credential);
  try {
    narrator.step('analyst queries with that user');
    const { rows } = await session.query<{ orders: number; amount: string }>(SAMPLE_QUERY);
    const row = rows[0]!;
    if (row.orders === 0) throw new CliError('ERR_CLI_ANSWER', 'the query found nothing');
    narrator.fact(SAMPLE_QUERY);
    narrator.fact(`${row.orders} paid orders, ${row.amount} in all`);

    await beRefused(client, narrator, taskId);
    await end(client, narrator, taskId, credential, session);
  } finally {
    await session.end().catch(() => undefined);
  }
  await tellAudit(client, narrator, taskId);
  await tellStanding(client, narrator);
}

async function declare(client: MayflyClient, narrator: Narrator, taskId: string): Promise<void> {
  narrator.step('An orchestrator declares a task');
  const task = sampleTask(taskId, Date.now());
  const { verdict } = await client.send('task.started', task, SAMPLE_ORCHESTRATOR, STEP_WITHIN_MS);
  const { type, data } = await verdict;
  if (type === 'event.rejected' || type === 'task.refused') throw new Refused(data.code, [data.reason]);
  narrator.fact(`task       ${taskId}`);
  narrator.fact(`purpose    ${task.purpose}, for ${task.principal.id}`);
  narrator.fact('may use    sql.query on crm.orders and hr.salaries, to read');
  narrator.fact(`accepted   until ${task.deadline} at the latest`);
}

async function borrow(client: MayflyClient, narrator: Narrator, taskId: string): Promise<OpenedPostgres> {
  narrator.step('analyst calls sql.query on crm.orders');
  const call = { taskId, tool: 'sql.query', dataset: 'crm.orders', action: 'read', ttlMs: LEASE_TTL_MS };
  const { credential } = await client.call(call, SAMPLE_ANALYST, STEP_WITHIN_MS);
  if (credential.kind !== 'postgres')
    throw new CliError('ERR_CLI_ANSWER', 'another kind of credential came than a PostgreSQL user');
  const { host, port, database, user } = credential.connection;
  narrator.fact('permitted  by the policy for the tool and by the policy for the dataset');
  narrator.fact(
    `issued     PostgreSQL user ${user} at ${host}:${port}/${database}, until ${credential.notAfter}`,
  );
  narrator.fact('           its password came sealed to a key that only analyst has');
  return credential;
}

async function beRefused(client: MayflyClient, narrator: Narrator, taskId: string): Promise<void> {
  narrator.step('analyst calls sql.query on hr.salaries');
  const call = { taskId, tool: 'sql.query', dataset: 'hr.salaries', action: 'read' };
  const decided = client.event(
    (event): event is EventOf<'call.decided'> =>
      event.type === 'call.decided' && event.data.taskId === taskId && event.data.dataset === call.dataset,
    STEP_WITHIN_MS,
  );
  const refusal = await refusalOf(client.call(call, SAMPLE_ANALYST, STEP_WITHIN_MS));
  if (refusal.code !== 'ERR_DATASET_FORBIDDEN') throw refusal;
  const { checks } = (await decided).data;
  narrator.fact(`denied     ${refusal.code}`);
  for (const { check, ok, policies, reason } of checks) {
    if (check !== 'tool_policy' && check !== 'dataset_policy') continue;
    const why = [...(policies ?? []), ...(reason === undefined ? [] : [reason])].join(', ');
    narrator.fact(`           ${check} ${ok ? 'permits' : 'forbids'}${why === '' ? '' : `: ${why}`}`);
  }
  if (!checks.some(({ check, ok }) => check === 'tool_policy' && ok))
    throw new CliError('ERR_CLI_ANSWER', 'the tool should have been permitted, and the dataset forbidden');
}

async function refusalOf(call: Promise<unknown>): Promise<Refused> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Refused) return error;
    throw error;
  }
  throw new CliError('ERR_CLI_ANSWER', 'a call that the policy forbids was permitted');
}

async function end(
  client: MayflyClient,
  narrator: Narrator,
  taskId: string,
  credential: OpenedPostgres,
  session: Awaited<ReturnType<typeof openSession>>,
): Promise<void> {
  narrator.step('The orchestrator ends the task, while that session is still open');
  const cut = client.event(
    (event: OutboundEvent): event is EventOf<'lease.access_cut'> =>
      event.type === 'lease.access_cut' && event.data.leaseId === credential.leaseId,
    STEP_WITHIN_MS,
  );
  const data = { taskId, outcome: 'completed' } as const;
  const { acknowledgedAtMs } = await client.send('task.ended', data, SAMPLE_ORCHESTRATOR, STEP_WITHIN_MS);
  const refused = await untilRefused(session, credential, SAMPLE_QUERY, acknowledgedAtMs, STEP_WITHIN_MS);
  narrator.fact(
    `same query in the open session   refused after ${refused.session.afterMs} ms (${refused.session.code})`,
  );
  narrator.fact(
    `same query after a new login     refused after ${refused.login.afterMs} ms (${refused.login.code})`,
  );
  const { evidence, exposureMs } = (await cut).data;
  narrator.fact(
    `proven     user ${evidence.state}, ${evidence.sessionsEnded} session ended, seen ${evidence.observations} times; exposed ${exposureMs} ms`,
  );
}
