/**
 * How a log hands out a range, before it is a bundle: lines of JSON. The first is the head with what proves the range, each other one
 * `["<leaf hash, base64>",<leaf>]`, in order, with the leaf byte by byte as it is hashed. Fewer lines than the head promises: the
 * log ends, or lacks the next entry.
 */
import { z } from 'zod';
import type { ExportHead } from './bundle-draft.js';
import { fromBase64, isHash, toBase64, type Hash } from './merkle.js';

/** Larger than any first line: a note, and some hundred hashes. */
export const MAX_LINE_BYTES = 1 << 20;

const size = z.int().nonnegative();
const hashes = z.array(z.string().max(44)).max(126);
const head = z.object({
  checkpoint: z.string(),
  from: size,
  to: size,
  proof: z.object({
    left: hashes,
    right: hashes,
    since: z.object({ size, hashes }).optional(),
  }),
}) satisfies z.ZodType<ExportHead>;

export const headLine = (of: ExportHead): Buffer => Buffer.from(`${JSON.stringify(of)}\n`);

export const entryLine = (leaf: Buffer, leafHash: Hash): Buffer =>
  Buffer.concat([Buffer.from(`["${toBase64(leafHash)}",`), leaf, END]);

const END = Buffer.from(']\n');
/** `["`, 44 characters, `",` */
const BEFORE_LEAF = 48;

/** @returns undefined for anything else */
export function readHeadLine(line: Buffer): ExportHead | undefined {
  try {
    return head.parse(JSON.parse(line.toString('utf8')));
  } catch {
    return undefined;
  }
}

/** @returns undefined for anything else. That the hash is the leaf's is for the verifier to see. */
export function readEntryLine(line: Buffer): { leaf: Buffer; leafHash: Hash } | undefined {
  const before = line.toString('latin1', 0, BEFORE_LEAF);
  const leafHash = fromBase64(before.slice(2, 46));
  if (!before.startsWith('["') || !before.endsWith('",') || line.at(-1) !== 0x5d) return undefined;
  if (leafHash === undefined || !isHash(leafHash)) return undefined;
  return { leaf: line.subarray(BEFORE_LEAF, -1), leafHash };
}
