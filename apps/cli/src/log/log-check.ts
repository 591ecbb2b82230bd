/** `mayfly log check`: one claim a line, and `ok` or `refused` with its code for each. */
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { LineTooLong, linesOf, type Input } from '../lines.js';
import { judgeClaim } from './claim.js';

/** A note has a million bytes at most, and JSON may write each as six. */
const MAX_LINE_BYTES = 1 << 24;

/** @throws CliError ERR_CLI_NOT_PROVEN if a claim does not hold, ERR_CLI_USAGE for a line beyond all claims */
export async function logCheck(input: Input, { output }: CommandContext): Promise<void> {
  let [checked, refused] = [0, 0];
  try {
    for await (const lines of linesOf(input, MAX_LINE_BYTES))
      for (const line of lines) {
        const text = line.toString('utf8');
        if (text.trim() === '') continue;
        const code = judgeClaim(text);
        checked += 1;
        if (code !== undefined) refused += 1;
        output.answer(
          code === undefined ? 'ok' : `refused ${code}`,
          code === undefined ? { ok: true } : { ok: false, code },
        );
      }
  } catch (cause) {
    if (!(cause instanceof LineTooLong)) throw cause;
    throw new CliError('ERR_CLI_USAGE', cause.message, { cause });
  }
  if (refused > 0) throw new CliError('ERR_CLI_NOT_PROVEN', `${refused} of ${checked} do not hold`);
}
