/** `manifest.json`: what a bundle says it holds. It is not signed: each of its members is checked against what is, or against the files. */
import { z } from 'zod';
import { readWhole, type BundleFiles } from './bundle-files.js';
import { BundleError } from './errors.js';
import { fromBase64, HASH_BYTES, isHash, type Hash } from './merkle.js';

export const FORMAT = 'mayfly-bundle/1';
const MAX_BYTES = 65_536;
/** A range has at most so many subtrees beside it, and a consistency proof so many hashes. */
const MAX_HASHES = 126;

/** Below 2^53. */
const count = z.int().nonnegative();
const hash = z.string().transform((text, context): Hash => {
  const bytes = fromBase64(text);
  if (bytes !== undefined && isHash(bytes)) return bytes;
  context.addIssue('not a hash');
  return z.NEVER;
});
const hashes = z.array(hash).max(MAX_HASHES);
const digest = { bytes: count, sha256: z.string().regex(/^[0-9a-f]{64}$/) };
const rows = z.strictObject({ ...digest, rows: count });

const manifest = z.strictObject({
  format: z.literal(FORMAT),
  origin: z.string().min(1).max(1_024),
  from: count,
  to: count,
  /** As of this signed head. */
  checkpoint: z.strictObject({ size: count, root: hash }),
  proof: z.strictObject({
    left: hashes,
    right: hashes,
    /** Consistency of the head with that of an earlier size. */
    since: z.strictObject({ size: count, hashes }).optional(),
  }),
  files: z.strictObject({
    checkpoint: z.strictObject(digest),
    'entries.jsonl': rows,
    'entries.csv': rows.optional(),
    'hashes.bin': rows,
  }),
});
export type Manifest = z.infer<typeof manifest>;
/** As written: hashes in base64. */
export type WrittenManifest = z.input<typeof manifest>;

/** Well-formed and of one piece; nothing of it is verified. @throws BundleError ERR_BUNDLE_FILE_…, ERR_BUNDLE_MANIFEST, ERR_BUNDLE_VERSION */
export function readManifest(files: BundleFiles): Manifest {
  const text = readWhole(files, 'manifest.json', MAX_BYTES).toString('utf8');
  const malformed = (cause?: unknown) => new BundleError('ERR_BUNDLE_MANIFEST', 'manifest.json', { cause });
  let written: unknown;
  try {
    written = JSON.parse(text);
  } catch (cause) {
    throw malformed(cause);
  }
  const named = z.looseObject({ format: z.string() }).safeParse(written).data?.format;
  if (named !== undefined && named !== FORMAT && named.startsWith('mayfly-bundle/'))
    throw new BundleError('ERR_BUNDLE_VERSION', 'manifest.json');
  const { data, error } = manifest.safeParse(written);
  if (data === undefined) throw malformed(error);
  if (!isOfOnePiece(data)) throw malformed();
  return data;
}

function isOfOnePiece({ from, to, checkpoint, files }: Manifest): boolean {
  const entries = to - from;
  const tables = [files['entries.jsonl'], files['entries.csv'], files['hashes.bin']];
  return (
    entries > 0 &&
    to <= checkpoint.size &&
    tables.every((table) => table === undefined || table.rows === entries) &&
    files['hashes.bin'].bytes === entries * HASH_BYTES
  );
}

export const manifestText = (written: WrittenManifest): string => `${JSON.stringify(written, null, 2)}\n`;
