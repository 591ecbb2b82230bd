/** `mayfly target rotate`: an operator's word that our accounts get other passwords. The services carry it out, each for its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceName } from '#events/services.js';
import { inLettersOf, type WhereOptions } from '../dlq/letters-database.js';
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { orderedBy } from '../ordered-by.js';

/** Those that have accounts at targets. */
export const ROTATING = ['broker', 'revoker'] as const satisfies readonly ServiceName[];
type Rotating = (typeof ROTATING)[number];

export interface TargetRotateOptions extends WhereOptions {
  service?: Rotating;
  /** Who gives the order: the login of the operating system unless told. Nobody checks it. */
  as?: string;
  /** Seconds until the command no longer waits. */
  wait: number;
}

interface Account {
  service: Rotating;
  target: string;
}

const LOOK_EVERY_MS = 250;

export async function targetRotate(
  target: string | undefined,
  options: TargetRotateOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const by = orderedBy(options.as);
  const services = options.service === undefined ? ROTATING : [options.service];
  const ordered: Account[] = [];
  for (const service of services) ordered.push(...(await order(service, target, by, options, env)));
  if (ordered.length === 0)
    throw new CliError(
      'ERR_CLI_ANSWER',
      `no account${target === undefined ? '' : ` at \`${target}\``} has its password in a file that a service may replace: see login.passwordFile`,
    );

  let waiting = ordered;
  for (const endMs = Date.now() + options.wait * 1_000; waiting.length > 0 && Date.now() < endMs;) {
    await sleep(LOOK_EVERY_MS);
    waiting = await stillWaiting(waiting, options, env);
  }
  const done = ordered.filter((account) => !waiting.some((each) => isSame(each, account)));
  output.answer(
    [
      ...done.map(({ service, target: at }) => `the account of the ${service} at ${at} has another password`),
      ...waiting.map(({ service, target: at }) => `the account of the ${service} at ${at} is to have one`),
    ].join('\n'),
    { by, done, waiting },
  );
  if (waiting.length > 0)
    output.remark('not all is done yet: are the services running? Their logs say what fails');
}

const isSame = (one: Account, other: Account) => one.service === other.service && one.target === other.target;

async function order(
  service: Rotating,
  target: string | undefined,
  by: string,
  options: WhereOptions,
  env: NodeJS.ProcessEnv,
): Promise<Account[]> {
  return await inLettersOf(service, options, env, async (tx) => {
    const { rows } = await tx.query<{ target: string }>(
      'UPDATE target_account SET ordered_by = $1 WHERE $2::text IS NULL OR target = $2 RETURNING target',
      [by, target ?? null],
    );
    return rows.map((row) => ({ service, target: row.target }));
  });
}

async function stillWaiting(
  accounts: readonly Account[],
  options: WhereOptions,
  env: NodeJS.ProcessEnv,
): Promise<Account[]> {
  const waiting: Account[] = [];
  for (const service of new Set(accounts.map((each) => each.service))) {
    const targets = accounts.filter((each) => each.service === service).map((each) => each.target);
    const { rows } = await inLettersOf(service, options, env, (tx) =>
      tx.query<{ target: string }>(
        'SELECT target FROM target_account WHERE ordered_by IS NOT NULL AND target = ANY ($1)',
        [targets],
      ),
    );
    waiting.push(...rows.map(({ target }) => ({ service, target })));
  }
  return waiting;
}
