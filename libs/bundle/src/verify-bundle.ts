/**
 * Is every entry of a bundle in the log, as a trusted key signed it? Offline, in one pass, with memory that does not grow with the
 * bundle. Everything in it is hostile; the only thing trusted is the trust file.
 */
import { HashList, isFileName, isSameDigest, Lines, readWhole, type BundleFiles } from './bundle-files.js';
import { BundleError, CANNOT_BE_JUDGED, type BundleErrorCode, type Finding } from './errors.js';
import { readManifest, type Manifest } from './manifest.js';
import { MerkleError, sameHash, type Checkpoint, type SignedHead } from './merkle.js';
import { judgeSince } from './since.js';
import { openTrusted, type Trust } from './trust.js';
import { verifyEntries } from './verify-entries.js';
import { verifyTable, type TableVerdict } from './verify-table.js';

export type Verdict = 'good' | 'altered' | 'unjudged';

export interface BundleReport {
  verdict: Verdict;
  /** The log; null where the bundle did not even name one that is trusted. */
  origin: string | null;
  from: number;
  to: number;
  /** Entries of the range that are in the signed tree as they stand here. */
  included: number;
  /** The signed head; null where no trusted key signed one. */
  checkpoint: Pick<SignedHead, 'size' | 'root' | 'signedBy' | 'cosignedBy'> | null;
  /** Size of the earlier head that the log was shown to extend. */
  extendsSize: bigint | null;
  /** The first of what is wrong, entries by their numbers; empty for a good bundle. */
  findings: Finding[];
  /** How many there are of entries. */
  badEntries: number;
}

const MAX_NOTE_BYTES = 1_000_000;

/** @param since an earlier head of the log, from elsewhere, whose signature was verified */
export function verifyBundle(files: BundleFiles, trust: Trust, since?: Checkpoint): BundleReport {
  const report = verifyLeaves(files, trust, since);
  return report.origin === null || report.verdict === 'altered'
    ? report
    : withTable(report, verifyTable(files, readManifest(files)));
}

/** All but the table, which may be looked at meanwhile. */
export function verifyLeaves(files: BundleFiles, trust: Trust, since?: Checkpoint): BundleReport {
  const report = nothingFound();
  try {
    const manifest = readManifest(files);
    [report.from, report.to] = [manifest.from, manifest.to];
    const note = readWhole(files, 'checkpoint', MAX_NOTE_BYTES);
    const head = openTrusted(note.toString('utf8'), trust, 'checkpoint');
    report.origin = head.origin;
    const { size, root, signedBy, cosignedBy } = head;
    report.checkpoint = { size, root, signedBy, cosignedBy };
    assertSaysSo(manifest, head);
    assertFiles(files, manifest);
    verifyContents(files, manifest, head, since, report);
  } catch (error) {
    report.findings.push(findingOf(error));
  }
  report.verdict = verdictOf(report.findings);
  return report;
}

/** Requires a report on the leaves of which none was altered. */
export function withTable(report: BundleReport, table: TableVerdict): BundleReport {
  const findings = [...table.findings, ...report.findings];
  return { ...report, findings, badEntries: table.badEntries, verdict: verdictOf(findings) };
}

/** Of a bundle that cannot even be opened. @throws whatever is no refusal */
export function refused(error: unknown): BundleReport {
  const findings = [findingOf(error)];
  return { ...nothingFound(), findings, verdict: verdictOf(findings) };
}

const nothingFound = (): BundleReport => ({
  ...{ verdict: 'altered', origin: null, from: 0, to: 0, included: 0 },
  ...{ checkpoint: null, extendsSize: null, findings: [], badEntries: 0 },
});

function verifyContents(
  files: BundleFiles,
  manifest: Manifest,
  head: SignedHead,
  since: Checkpoint | undefined,
  report: BundleReport,
): void {
  const { from, to } = manifest;
  const tree = verifyEntries(new Lines(files, 'entries.jsonl'), new HashList(files), manifest, since?.size);
  const isSigned = tree.root !== undefined && sameHash(tree.root, head.root);
  report.badEntries = tree.findings.count;
  report.included = isSigned ? to - from - tree.findings.ofRange : 0;
  report.findings.push(...tree.findings.first);

  const wrong = (code: BundleErrorCode, place: string) => report.findings.push({ code, place });
  if (!isSigned) wrong('ERR_BUNDLE_ROOT_MISMATCH', 'hashes.bin');
  if (!isSameDigest(tree.hashes, manifest.files['hashes.bin']))
    wrong('ERR_BUNDLE_FILE_ALTERED', 'hashes.bin');
  if (!tree.isWhole || !isSameDigest(tree.entries, manifest.files['entries.jsonl']))
    wrong('ERR_BUNDLE_FILE_ALTERED', 'entries.jsonl');
  if (since === undefined || report.findings.length > 0) return;
  const code = judgeSince(since, head, manifest, tree.rootThen);
  if (code === undefined) report.extendsSize = since.size;
  else wrong(code, 'earlier checkpoint');
}

/** @throws BundleError ERR_BUNDLE_HEAD_MISMATCH */
function assertSaysSo({ origin, checkpoint }: Manifest, head: SignedHead): void {
  const says = origin === head.origin && BigInt(checkpoint.size) === head.size;
  if (!says || !sameHash(checkpoint.root, head.root))
    throw new BundleError('ERR_BUNDLE_HEAD_MISMATCH', 'manifest.json');
}

/** Exactly the files of the manifest are there. @throws BundleError ERR_BUNDLE_FILE_MISSING, ERR_BUNDLE_FILE_UNKNOWN, ERR_BUNDLE_FILE_ALTERED */
function assertFiles(files: BundleFiles, manifest: Manifest): void {
  for (const name of Object.keys(manifest.files))
    if (!isFileName(name) || !files.sizes.has(name))
      throw new BundleError('ERR_BUNDLE_FILE_MISSING', isFileName(name) ? name : 'manifest.json');
  for (const name of files.sizes.keys())
    if (name !== 'manifest.json' && manifest.files[name] === undefined)
      throw new BundleError('ERR_BUNDLE_FILE_UNKNOWN', name);
  const lines = new Lines(files, 'checkpoint');
  if (!isSameDigest(lines.digest(), manifest.files.checkpoint))
    throw new BundleError('ERR_BUNDLE_FILE_ALTERED', 'checkpoint');
}

/** @throws whatever is no refusal */
function findingOf(error: unknown): Finding {
  if (error instanceof BundleError) return { code: error.code, place: error.place };
  if (error instanceof MerkleError) return { code: error.code, place: 'checkpoint' };
  throw error;
}

function verdictOf(findings: readonly Finding[]): Verdict {
  if (findings.length === 0) return 'good';
  return findings.every(({ code }) => CANNOT_BE_JUDGED.includes(code)) ? 'unjudged' : 'altered';
}
