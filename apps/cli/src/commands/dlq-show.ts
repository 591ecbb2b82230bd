/** `mayfly dlq show`: one record that was set aside, without its tokens. */
import type { ServiceName } from '#events/services.js';
import { readLetter } from '#store/letter-board.js';
import { letterDocument, letterText } from '../dlq/letter-text.js';
import { inLettersOf, type WhereOptions } from '../dlq/letters-database.js';
import { CliError } from '../failure.js';
import type { CommandContext } from './context.js';

export interface DlqShowOptions extends WhereOptions {
  service: ServiceName;
}

export async function dlqShow(
  id: string,
  options: DlqShowOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const { service } = options;
  const letterId = asLetterId(id);
  const letter = await inLettersOf(service, options, env, (tx) => readLetter(tx, service, letterId));
  if (letter === null) throw noSuchLetter(service, letterId);
  output.answer(letterText(service, letter), letterDocument(service, letter));
}

export function asLetterId(text: string): bigint {
  if (!/^[1-9][0-9]{0,17}$/.test(text))
    throw new CliError('ERR_CLI_USAGE', `\`${text}\` is no number of a parked record: mayfly dlq list`);
  return BigInt(text);
}

export const noSuchLetter = (service: ServiceName, id: bigint) =>
  new CliError('ERR_CLI_NOT_FOUND', `the ${service} parked no record ${id}: mayfly dlq list`);
