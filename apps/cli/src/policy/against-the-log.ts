/** What the log has of decisions that the broker kept. Whoever changes the broker's database changes its word, and not the log's. */
import type { KeptDecision } from './recorded-decisions.js';

const AT_ONCE = 250;

/** A decision, by what names it to people. */
export interface Named {
  callId: string;
  taskId: string;
  at: string;
}

export interface LogFindings {
  /** The log has them as they are kept. */
  confirmed: number;
  /** Younger than a minute, and not in the log yet. They are decided again all the same. */
  pending: number;
  absent: Named[];
  differ: Named[];
}

export const noFindings = (): LogFindings => ({ confirmed: 0, pending: 0, absent: [], differ: [] });

/** Of decisions, each with the data that the broker kept as JSON text: ids of those that the log does not have, or has otherwise. */
export interface AskLog {
  checkDecisions(
    decisions: readonly { id: string; data: string }[],
  ): Promise<{ absent: string[]; differ: string[] }>;
}

/** Passes on what the log confirms, and adds the rest to `findings`. */
export async function* againstTheLog(
  batches: AsyncIterable<KeptDecision[]>,
  log: AskLog,
  findings: LogFindings,
): AsyncGenerator<KeptDecision[]> {
  for await (const batch of batches) {
    const answers = await Promise.all(
      slices(batch).map((slice) =>
        log.checkDecisions(slice.map(({ id, decided }) => ({ id, data: decided }))),
      ),
    );
    const absent = new Set(answers.flatMap((answer) => answer.absent));
    const differ = new Set(answers.flatMap((answer) => answer.differ));
    const wrong = batch.filter(({ id, isFresh }) => differ.has(id) || (absent.has(id) && !isFresh));
    for (const { id, decided } of wrong) findings[differ.has(id) ? 'differ' : 'absent'].push(nameOf(decided));
    findings.pending += batch.filter(({ id, isFresh }) => absent.has(id) && isFresh).length;
    findings.confirmed += batch.filter(({ id }) => !absent.has(id) && !differ.has(id)).length;
    yield batch.filter((each) => !wrong.includes(each));
  }
}

const slices = (batch: KeptDecision[]): KeptDecision[][] =>
  Array.from({ length: Math.ceil(batch.length / AT_ONCE) }, (_, n) =>
    batch.slice(n * AT_ONCE, (n + 1) * AT_ONCE),
  );

function nameOf(decided: string): Named {
  const { callId, taskId, at } = JSON.parse(decided) as Named;
  return { callId, taskId, at };
}
