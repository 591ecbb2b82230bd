/** What a verifier found, for people and for programs. */
import { WHAT_IS_WRONG, type BundleErrorCode, type Finding } from '#bundle/errors.js';
import { toBase64 } from '#bundle/merkle.js';
import type { BundleReport } from '#bundle/verify-bundle.js';

export function reportText(report: BundleReport): string {
  const { from, to, included, checkpoint, extendsSize, findings, badEntries } = report;
  const signed =
    checkpoint === null
      ? 'no checkpoint that a trusted key signed'
      : `checkpoint size ${checkpoint.size} signed by ${checkpoint.signedBy.join(', ')}`;
  const head = [`${included}/${to - from} entries included`, signed];
  if (checkpoint !== null && checkpoint.cosignedBy.length > 0)
    head.push(`cosigned by ${checkpoint.cosignedBy.join(', ')}`);
  if (extendsSize !== null) head.push(`consistent with size ${extendsSize}`);
  const more = badEntries - findings.filter(({ seq }) => seq !== undefined).length;
  return [
    head.join(' · '),
    ...findings.map(findingText),
    ...(more > 0 ? [`and ${more} more entries`] : []),
  ].join('\n');
}

export const findingText = ({ code, place }: Finding): string => `${place}: ${whatIsWrong(code)} (${code})`;

/** Codes of `libs/merkle` are all of the checkpoint. */
function whatIsWrong(code: Finding['code']): string {
  if (Object.hasOwn(WHAT_IS_WRONG, code)) return WHAT_IS_WRONG[code as BundleErrorCode];
  return code === 'ERR_TRUST_QUORUM'
    ? 'not a checkpoint that enough witnesses of the trust file cosigned'
    : 'not a checkpoint that a trusted key signed';
}

export const reportDocument = ({ checkpoint, extendsSize, findings, ...report }: BundleReport): object => ({
  ok: report.verdict === 'good',
  ...report,
  checkpoint: checkpoint && {
    size: String(checkpoint.size),
    root: toBase64(checkpoint.root),
    signedBy: checkpoint.signedBy,
    cosignedBy: checkpoint.cosignedBy,
  },
  extendsSize: extendsSize === null ? null : String(extendsSize),
  findings: findings.map((each) => ({ ...each, what: whatIsWrong(each.code) })),
});
