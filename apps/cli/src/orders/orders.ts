/** `mayfly revoke`, `lease`, `agent` and `revocation`: operators cut access, and see what of it is proven. */
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { progressOn } from '../progress.js';
import { revokerDoorOf, type AsOperator, type ServiceDoor } from '../service-door.js';
import { leaseLine, orderText } from './order-text.js';
import { leasePage, reinstated, shownOrder, type ShownLease, type ShownOrder } from './shown-order.js';

export interface Ordering extends AsOperator {
  reason: string;
  /** The same order again, where its answer was lost. */
  order?: string;
  /** Seconds; 0: it is not waited for. */
  wait: number;
}
export interface RevokeOptions extends Ordering {
  lease?: string;
  task?: string;
  agent?: string;
  target?: string;
  all?: boolean;
  confirm?: boolean;
}

const LOOK_EVERY_MS = 200;

/** @throws CliError ERR_CLI_NOT_PROVEN unless all of it is proven by then */
export async function revoke(options: RevokeOptions, context: CommandContext): Promise<void> {
  const { order: orderId = uuidv7(), reason, wait } = options;
  const what = whatOf(options);
  const door = await revokerDoorOf(options, context.env);
  context.output.remark(`order ${orderId}`);
  const taken = shownOrder.parse(await door.ask('POST', '/v1/revoke', { ...what, reason, orderId }));
  tell(await watch(door, taken, wait, context), wait, context);
}

function whatOf({ lease, task, agent, target, all, confirm }: RevokeOptions): object {
  const named = { lease, task, agent, target };
  const given = Object.entries(named).filter(([, id]) => id !== undefined);
  if (given.length + (all === true ? 1 : 0) !== 1)
    throw new CliError('ERR_CLI_USAGE', 'one of --lease, --task, --agent, --target and --all is wanted');
  if (all !== true) return Object.fromEntries(given);
  if (confirm !== true)
    throw new CliError('ERR_CLI_USAGE', '--all cuts every access there is: say --confirm as well');
  return { all, confirm };
}

/** What is proven of an order by now, or once it is. */
export async function revocationShow(
  orderId: string,
  { wait, ...as }: AsOperator & { wait: number },
  context: CommandContext,
): Promise<void> {
  const door = await revokerDoorOf(as, context.env);
  tell(await watch(door, await reportOf(door, orderId), wait, context), wait, context);
}

export async function leaseList(
  {
    task,
    agent,
    target,
    state,
    ...as
  }: AsOperator & {
    task?: string;
    agent?: string;
    target?: string;
    state?: string;
  },
  { env, output }: CommandContext,
): Promise<void> {
  const door = await revokerDoorOf(as, env);
  const leases: ShownLease[] = [];
  for (let after: string | undefined; ;) {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ task, agent, target, state, after, limit: '200' }))
      if (value !== undefined) query.set(name, value);
    const page = leasePage.parse(await door.ask('GET', `/v1/leases?${query.toString()}`));
    leases.push(...page.leases);
    if (page.next === undefined) break;
    after = page.next;
  }
  output.answer(leases.length === 0 ? 'no leases' : leases.map(leaseLine).join('\n'), { leases });
}

export async function agentReinstate(
  agent: string,
  { reason, ...as }: AsOperator & { reason: string },
  { env, output }: CommandContext,
): Promise<void> {
  const door = await revokerDoorOf(as, env);
  const given = reinstated.parse(await door.ask('POST', '/v1/reinstate', { agent, reason }));
  if (!given.changed) output.remark('it had been reinstated before');
  output.answer(`${agent} may have credentials again, generation ${given.agentGeneration}`, given);
}

const reportOf = async (door: ServiceDoor, orderId: string): Promise<ShownOrder> =>
  shownOrder.parse(await door.ask('GET', `/v1/revocations/${encodeURIComponent(orderId)}`));

/** A bar for people who watch; where nobody does, a line for each step forward. */
async function watch(
  door: ServiceDoor,
  taken: ShownOrder,
  waitS: number,
  { output }: CommandContext,
): Promise<ShownOrder> {
  const endMs = Date.now() + waitS * 1_000;
  let report = taken;
  let total = -1;
  let said = '';
  let bar = progressOn(process.stderr, 0);
  while (report.state !== 'proven' && Date.now() < endMs) {
    const { found, cut, removed } = report.leases;
    if (found !== total) bar = progressOn(process.stderr, (total = found));
    bar.at(cut + removed);
    const line = `${cut + removed} of ${found} proven cut`;
    if (!process.stderr.isTTY && found > 0 && line !== said) output.remark((said = line));
    await sleep(LOOK_EVERY_MS);
    report = await reportOf(door, report.orderId);
  }
  bar.end();
  return report;
}

function tell(report: ShownOrder, waitS: number, { output }: CommandContext): void {
  output.answer(orderText(report), report);
  if (report.state === 'proven') return;
  throw new CliError(
    'ERR_CLI_NOT_PROVEN',
    `not all is proven after ${waitS} s. The revoker goes on: mayfly revocation show ${report.orderId}`,
  );
}
