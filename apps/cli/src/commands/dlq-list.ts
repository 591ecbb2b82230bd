/** `mayfly dlq list`: records that a service set aside, oldest first. */
import { SERVICES, type ServiceName } from '#events/services.js';
import { listLetters } from '#store/letter-board.js';
import { documentOf, lineOf } from '../dlq/letter-text.js';
import { inLettersOf, type WhereOptions } from '../dlq/letters-database.js';
import type { CommandContext } from './context.js';

export interface DlqListOptions extends WhereOptions {
  /** All of them, unless told. */
  service?: ServiceName;
  all?: boolean;
  limit: number;
}

export async function dlqList(options: DlqListOptions, { env, output }: CommandContext): Promise<void> {
  const { service, all = false, limit } = options;
  const services = service === undefined ? SERVICES : [service];
  const boards = await Promise.all(
    services.map(async (name) => ({
      name,
      ...(await inLettersOf(name, options, env, (tx) => listLetters(tx, name, { limit, all }))),
    })),
  );
  const nowMs = Date.now();
  const lines = boards.flatMap(({ name, lines }) => lines.map((line) => lineOf(name, line, nowMs)));
  const total = boards.reduce((sum, board) => sum + board.total, 0);
  const document = {
    total,
    letters: boards.flatMap(({ name, lines }) => lines.map((line) => documentOf(name, line))),
  };
  output.answer([...lines, total === 0 ? 'nothing is parked' : `${total} parked`].join('\n'), document);
}
