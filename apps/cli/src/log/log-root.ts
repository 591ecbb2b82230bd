/** `mayfly log root`: the root of a tree (RFC 6962 §2.1) out of its entries. */
import { appendLeaves, edgeRoot, fromBase64, leafHash, toBase64, type Edge } from '#bundle/merkle.js';
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { LineTooLong, linesOf, type Input } from '../lines.js';

const MAX_LINE_BYTES = 1 << 20;

/** @throws CliError ERR_CLI_USAGE for a line that is no entry */
export async function logRoot(input: Input, { output }: CommandContext): Promise<void> {
  let edge: Edge = { size: 0n, nodes: [] };
  try {
    for await (const lines of linesOf(input, MAX_LINE_BYTES))
      edge = appendLeaves(edge, hashesOf(lines, edge.size));
  } catch (cause) {
    if (!(cause instanceof LineTooLong)) throw cause;
    throw new CliError('ERR_CLI_USAGE', cause.message, { cause });
  }
  const { size } = edge;
  const root = toBase64(edgeRoot(edge));
  output.answer(`${size} ${root}`, { size: String(size), root });
}

const hashesOf = (lines: readonly Buffer[], before: bigint) =>
  lines.map((line, i) => {
    const entry = fromBase64(line.toString('latin1').replace(/\r$/, ''));
    if (entry === undefined)
      throw new CliError('ERR_CLI_USAGE', `line ${before + BigInt(i) + 1n} is no base64`);
    return leafHash(entry);
  });
