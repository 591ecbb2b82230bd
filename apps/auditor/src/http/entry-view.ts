/** Entries as the API shows them. */
import { toBase64 } from '#merkle/base64.js';
import { envelopeOf, openCommitments, type KeptPayload, type StoredEntry } from '../log/entries.js';
import type { Snapshot } from '../query/snapshot.js';
import type { AsOfView, EntryDetail, EntryView } from './api-schemas.js';

type Shown = Omit<EntryView, 'proof'>;

export const entryView = ({ seq, leaf, leafHash }: StoredEntry): Shown => ({
  seq: Number(seq),
  leaf: toBase64(leaf),
  leafHash: toBase64(leafHash),
  envelope: envelopeOf(leaf),
});

export function entryDetail(
  entry: StoredEntry,
  payload: KeptPayload | undefined,
  snapshot?: Snapshot,
): EntryDetail {
  const opened = payload === undefined ? [] : openCommitments(envelopeOf(entry.leaf), payload);
  return {
    ...entryView(entry),
    payload: payload === undefined ? 'erased' : 'kept',
    opened: Object.fromEntries(opened),
    as_of: snapshot === undefined ? null : asOfView(snapshot),
  };
}

export const asOfView = ({ size, root }: Pick<Snapshot, 'size' | 'root'>): AsOfView => ({
  size: Number(size),
  root: toBase64(root),
});

/** Does the leaf say that it is of one of these tenants? Only services of ours say so. */
export function isOfTenants({ leaf }: StoredEntry, tenants: readonly string[] | undefined): boolean {
  if (tenants === undefined) return true;
  const { event } = envelopeOf(leaf);
  if (typeof event !== 'object' || event === null || Array.isArray(event)) return false;
  return typeof event.tenant === 'string' && tenants.includes(event.tenant);
}
