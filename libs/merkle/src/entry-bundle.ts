/** Entry bundles (C2SP tlog-tiles v0.1.0): up to 256 entries, each behind its length as a big-endian uint16. */
import { concat } from './bytes.js';
import { MerkleError } from './errors.js';
import { MAX_ENTRY_BYTES } from './hash.js';
import { TILE_WIDTH } from './tile.js';

/** @throws MerkleError ERR_BUNDLE_MALFORMED for no entry, more than 256, or one that is too large. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0 || entries.length > TILE_WIDTH) throw malformed('a bundle has 1 to 256 entries');
  return concat(
    ...entries.flatMap((entry) => {
      if (entry.length > MAX_ENTRY_BYTES) throw malformed('the entry is too large for a bundle');
      return [Uint8Array.of(entry.length >> 8, entry.length), entry];
    }),
  );
}

/** The entries, as views of the given bytes. @throws MerkleError ERR_BUNDLE_MALFORMED; nothing may be left over. */
export function parseBundle(bytes: Uint8Array): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const [high, low] = [bytes[at], bytes[at + 1]];
    if (high === undefined || low === undefined) throw malformed('the bundle is cut off');
    const from = at + 2;
    at = from + ((high << 8) | low);
    if (at > bytes.length) throw malformed('the bundle is cut off');
    if (entries.push(bytes.subarray(from, at)) > TILE_WIDTH) throw malformed('a bundle has 1 to 256 entries');
  }
  if (entries.length === 0) throw malformed('a bundle has 1 to 256 entries');
  return entries;
}

const malformed = (message: string): MerkleError => new MerkleError('ERR_BUNDLE_MALFORMED', message);
