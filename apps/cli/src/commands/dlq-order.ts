/** `mayfly dlq retry` and `dlq drop`: an operator's word about a parked record, which the service carries out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { orderLetter, readLetter, type LetterOnBoard } from '#store/letter-board.js';
import { printable } from '../dlq/letter-text.js';
import { inLettersOf } from '../dlq/letters-database.js';
import { CliError } from '../failure.js';
import { orderedBy } from '../ordered-by.js';
import type { CommandContext } from './context.js';
import { asLetterId, noSuchLetter, type DlqShowOptions } from './dlq-show.js';

export interface DlqOrderOptions extends DlqShowOptions {
  reason?: string;
  /** Who gives the order: the login of the operating system unless told. Nobody checks it. */
  as?: string;
  /** For what cannot be taken back. */
  confirm?: boolean;
  /** Seconds until the command no longer waits for the service. */
  wait: number;
}

const LOOK_EVERY_MS = 250;
const TEXT_CHARS = 500;

export async function dlqOrder(
  want: 'retry' | 'drop',
  id: string,
  options: DlqOrderOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const { service } = options;
  const letterId = asLetterId(id);
  const order = { by: orderedBy(options.as), reason: reasonOf(want, options) };
  const before = await inLettersOf(service, options, env, async (tx) => {
    const state = await orderLetter(tx, service, letterId, want, order);
    return state === null ? null : await readLetter(tx, service, letterId);
  });
  if (before === null) throw noSuchLetter(service, letterId);
  if (before.settledAt !== null)
    throw new CliError('ERR_CLI_SETTLED', `record ${letterId} of the ${service} was ${before.state} already`);

  const letter = await untilTaken(before, options, env);
  const document = { service, id, order: want, by: order.by, state: letter.state, code: letter.code };
  const what = `record ${letterId} of the ${service}`;
  if (letter.settledAt !== null) return output.answer(`${what} is ${letter.state}`, document);
  if (letter.state !== 'parked') {
    output.answer(`${what} is to be ${want === 'retry' ? 'tried again' : 'dropped'}`, document);
    return output.remark(`the ${service} has not taken the order yet: is it running?`);
  }
  throw new CliError(
    'ERR_CLI_STILL_PARKED',
    letter.attempts > before.attempts
      ? `${what} failed again (${printable(letter.code, 60)}) and stays parked`
      : `${what} stays parked: one that waits behind it failed; mayfly dlq list names it`,
  );
}

/** Waits until the service has carried the order out, or has failed to. */
async function untilTaken(
  ordered: LetterOnBoard,
  options: DlqOrderOptions,
  env: NodeJS.ProcessEnv,
): Promise<LetterOnBoard> {
  const { service, wait } = options;
  let seen = ordered;
  for (const endMs = Date.now() + wait * 1_000; Date.now() < endMs;) {
    await sleep(LOOK_EVERY_MS);
    const found = await inLettersOf(service, options, env, (tx) => readLetter(tx, service, ordered.id));
    if (found === null) return seen;
    seen = found;
    if (seen.state !== 'retry' && seen.state !== 'drop') return seen;
  }
  return seen;
}

function reasonOf(want: 'retry' | 'drop', { reason, confirm }: DlqOrderOptions): string | null {
  const text = reason?.trim() ?? '';
  if (text.length > TEXT_CHARS)
    throw new CliError('ERR_CLI_USAGE', `a reason of at most ${TEXT_CHARS} characters is wanted`);
  if (want === 'drop' && text === '')
    throw new CliError('ERR_CLI_USAGE', 'a record is dropped for a --reason, which stands in the log');
  if (want === 'drop' && confirm !== true)
    throw new CliError('ERR_CLI_USAGE', 'dropping cannot be taken back: add --confirm');
  return text === '' ? null : printable(text, TEXT_CHARS);
}
