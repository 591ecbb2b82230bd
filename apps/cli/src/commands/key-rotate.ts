/** `mayfly key rotate`: an operator's word that another key is to sign tokens. Whichever broker comes first carries it out. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Tx } from '#store/database.js';
import { inLettersOf, type WhereOptions } from '../dlq/letters-database.js';
import { CliError } from '../failure.js';
import { orderedBy } from '../ordered-by.js';
import type { CommandContext } from './context.js';

export interface KeyRotateOptions extends WhereOptions {
  /** Verifiers learn of the key by its first token. */
  atOnce?: boolean;
  /** The same, and nothing that the present key signed is to be believed. */
  compromised?: boolean;
  /** For what cannot be taken back. */
  confirm?: boolean;
  /** Who gives the order: the login of the operating system unless told. Nobody checks it. */
  as?: string;
  /** Seconds until the command no longer waits for a broker. */
  wait: number;
}

const LOOK_EVERY_MS = 250;

interface Seen {
  isTaken: boolean;
  /** The key that signs, and the one that will. */
  active: string | null;
  published: string | null;
}

export async function keyRotate(options: KeyRotateOptions, { env, output }: CommandContext): Promise<void> {
  const how = options.compromised ? 'compromised' : options.atOnce ? 'at_once' : 'ahead';
  if (how === 'compromised' && options.confirm !== true)
    throw new CliError('ERR_CLI_USAGE', 'every token that lives is refused from then on: add --confirm');
  const by = orderedBy(options.as);
  const order = await inLettersOf('broker', options, env, (tx) => give(tx, how, by));
  const look = () => inLettersOf('broker', options, env, (tx) => see(tx, order));

  let seen = await look();
  for (const endMs = Date.now() + options.wait * 1_000; !seen.isTaken && Date.now() < endMs;) {
    await sleep(LOOK_EVERY_MS);
    seen = await look();
  }
  const { isTaken, active, published } = seen;
  const document = { order: how, by, taken: isTaken, active, published };
  if (!isTaken) {
    output.answer('another key is to sign', document);
    return output.remark('no broker has taken the order yet: is one running?');
  }
  output.answer(
    published === null
      ? `the key ${active} signs`
      : `the key ${published} is published, and signs once verifiers can know it`,
    document,
  );
}

async function give(tx: Tx, how: string, by: string): Promise<bigint | undefined> {
  const { rows: keys } = await tx.query("SELECT FROM token_key WHERE state = 'active'");
  if (keys.length === 0)
    throw new CliError('ERR_CLI_ANSWER', 'no key signs tokens here: services.broker.tokens is not given');
  const { rows } = await tx.query<{ id: bigint }>(
    'INSERT INTO token_key_order (how, ordered_by) VALUES ($1, $2) RETURNING id',
    [how, by],
  );
  return rows[0]?.id;
}

async function see(tx: Tx, order: bigint | undefined): Promise<Seen> {
  const { rows } = await tx.query<Seen>(
    `SELECT NOT EXISTS (SELECT FROM token_key_order WHERE id = $1) AS "isTaken",
            (SELECT kid FROM token_key WHERE state = 'active') AS active,
            (SELECT kid FROM token_key WHERE state = 'published') AS published`,
    [order],
  );
  return rows[0] ?? { isTaken: false, active: null, published: null };
}
