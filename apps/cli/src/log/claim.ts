/** A claim about a log, as JSON text: hashes and bytes in base64, integers as strings. Everything in it is hostile. */
import { BundleError } from '#bundle/errors.js';
import { parseTrust } from '#bundle/trust.js';
import { hasher } from '#merkle/node/hasher.js';
import { parseVerifier } from '#merkle/node/keys.js';
import { fromBase64, fromDecimal } from '#merkle/base64.js';
import { MerkleError } from '#merkle/errors.js';
import { openNote } from '#merkle/note.js';
import { verifyTlogProofUnder } from '#merkle/tlog-proof.js';
import { verifyConsistency, verifyInclusion, type Verdict } from '#merkle/verify.js';
import { z } from 'zod';

const read = <T>(parse: (text: string) => T | undefined) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue('malformed');
    return z.NEVER;
  });
const bytes = read(fromBase64);
const integer = read(fromDecimal);
const proof = z.array(bytes).max(1_000);

const claim = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('inclusion'),
    index: integer,
    size: integer,
    leafHash: bytes,
    root: bytes,
    proof,
  }),
  z.object({
    kind: z.literal('consistency'),
    size1: integer,
    size2: integer,
    root1: bytes,
    root2: bytes,
    proof,
  }),
  z.object({ kind: z.literal('note'), note: z.string(), vkeys: z.array(z.string()).max(100) }),
  z.object({ kind: z.literal('tlog-proof'), text: z.string(), entry: bytes, policy: z.string() }),
]);
type Claim = z.infer<typeof claim>;

/** @returns why the claim does not hold; undefined if it does */
export function judgeClaim(line: string): string | undefined {
  const parsed = claim.safeParse(parseJson(line));
  if (!parsed.success) return 'ERR_CLAIM_MALFORMED';
  try {
    const verdict = judge(parsed.data);
    return verdict.ok ? undefined : verdict.code;
  } catch (error) {
    if (error instanceof MerkleError || error instanceof BundleError) return error.code;
    throw error;
  }
}

function judge(claimed: Claim): Verdict {
  switch (claimed.kind) {
    case 'inclusion':
      return verifyInclusion(hasher, claimed);
    case 'consistency':
      return verifyConsistency(hasher, claimed);
    case 'note':
      openNote(claimed.note, claimed.vkeys.map(parseVerifier));
      return { ok: true };
    case 'tlog-proof': {
      verifyTlogProofUnder(hasher, claimed.text, claimed.entry, parseTrust(claimed.policy));
      return { ok: true };
    }
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
