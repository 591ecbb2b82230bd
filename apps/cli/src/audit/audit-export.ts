/** `mayfly audit export`: a contiguous range of the log, as the auditor hands it out, in one file. Nothing is verified here. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { readEntryLine, readHeadLine } from '#bundle/export-lines.js';
import { BundleTooLarge, BundleWriter } from '#bundle/files/write-bundle.js';
import { claimedHead, MerkleError } from '#bundle/merkle.js';
import { auditorOf, type AsReader } from '../auditor-of.js';
import type { CommandContext } from '../commands/context.js';
import { CliError } from '../failure.js';
import { PartWriter } from './part-writer.js';

export const FORMATS = ['bundle', 'jsonl', 'csv'] as const;

export interface AuditExportOptions extends AsReader {
  out: string;
  from: number;
  to?: number;
  /** File with an earlier checkpoint. */
  since?: string;
  /** As of the newest head that so many witnesses cosigned. */
  cosigned?: number;
  format: (typeof FORMATS)[number];
  /** False: without the table. */
  csv: boolean;
}

/** @throws CliError ERR_CLI_LOG_INCOMPLETE where the auditor has fewer entries than it signed; ERR_CLI_ANSWER, ERR_CLI_FILE */
export async function auditExport(
  options: AuditExportOptions,
  { env, output }: CommandContext,
): Promise<void> {
  const { out, from, to, cosigned, format } = options;
  if (existsSync(out)) throw isThere(out);
  const since = options.since === undefined ? undefined : await sizeIn(options.since);
  const auditor = await auditorOf(options, env);
  const lines = await auditor.export({
    from,
    ...(to === undefined ? {} : { to }),
    ...(since === undefined ? {} : { since }),
    ...(cosigned === undefined ? {} : { cosigned }),
  });
  const exported = await writing(out, () => write(lines, options));
  const { origin, size } = exported;
  const range = { from: exported.from, to: exported.to };
  output.answer(
    `entries ${range.from} to ${range.to - 1} of ${origin}, as of checkpoint size ${size}: ${out}` +
      (format === 'bundle' ? `\nverify them: mayfly audit verify ${out} --policy <trust>` : ''),
    { out, format, origin, ...range, checkpoint: { size: String(size) } },
  );
}

interface Exported {
  from: number;
  to: number;
  origin: string;
  size: bigint;
}

async function write(
  batches: AsyncIterable<Buffer[]>,
  { out, format, csv }: AuditExportOptions,
): Promise<Exported> {
  let writer: BundleWriter | PartWriter | undefined;
  let exported: Exported | undefined;
  try {
    for await (const lines of batches)
      for (const line of lines) {
        if (writer === undefined) {
          const head = readHeadLine(line);
          if (head === undefined) throw notAnExport();
          const { origin, size } = claimedHead(head.checkpoint);
          exported = { from: head.from, to: head.to, origin, size };
          writer =
            format === 'bundle'
              ? new BundleWriter(out, head, { withTable: csv })
              : new PartWriter(out, head, format === 'csv' ? 'entries.csv' : 'entries.jsonl');
          continue;
        }
        const entry = readEntryLine(line);
        if (entry === undefined) throw notAnExport();
        writer.draft.add(entry.leaf, entry.leafHash);
      }
    if (writer === undefined || exported === undefined) throw notAnExport();
    if (writer.draft.next !== exported.to)
      throw new CliError(
        'ERR_CLI_LOG_INCOMPLETE',
        `the auditor has signed entry ${writer.draft.next} and does not have it any more`,
      );
    writer.keep();
    return exported;
  } finally {
    writer?.close();
  }
}

const notAnExport = () => new CliError('ERR_CLI_ANSWER', 'what the auditor answered is no export');

/** The size that a checkpoint is of. It is verified where the bundle is. */
async function sizeIn(file: string): Promise<number> {
  try {
    return Number(claimedHead(await readFile(file, 'utf8')).size);
  } catch (cause) {
    throw new CliError('ERR_CLI_FILE', `\`${file}\` is not a checkpoint`, { cause });
  }
}

const isThere = (out: string) => new CliError('ERR_CLI_FILE', `\`${out}\` is there already`);

async function writing<T>(out: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    if (cause instanceof BundleTooLarge) throw new CliError('ERR_CLI_USAGE', cause.message, { cause });
    if (cause instanceof MerkleError) throw notAnExport();
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === undefined) throw cause;
    if (code === 'EEXIST') throw isThere(out);
    throw new CliError('ERR_CLI_FILE', `\`${out}\` cannot be written (${code})`, { cause });
  }
}
