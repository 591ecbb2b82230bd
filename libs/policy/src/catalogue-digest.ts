/** Digests of the catalogue: of the whole, by which versions are told apart, and of each entry, to say what is different. */
import { createHash } from 'node:crypto';
import type { Catalogue } from '#events/catalogue.js';
import { CATALOGUE_KINDS, type CatalogueKind } from '#events/catalogue-events.js';
import { canonical } from '#events/jcs.js';

/** SHA-256 in hex of each entry, by kind and id. */
export type CatalogueFingerprints = Record<CatalogueKind, Record<string, string>>;

/** `sha256:<hex>`; comments, layout and the order of entries do not change it. */
export const catalogueDigest = (content: Omit<Catalogue, 'digest'>): string => `sha256:${hash(content)}`;

export const catalogueFingerprints = (catalogue: Omit<Catalogue, 'digest'>): CatalogueFingerprints =>
  Object.fromEntries(
    CATALOGUE_KINDS.map((kind) => [
      kind,
      Object.fromEntries([...catalogue[kind]].map(([id, entry]) => [id, hash(entry)])),
    ]),
  ) as CatalogueFingerprints;

function hash(value: object): string {
  const plain = JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) =>
      inner instanceof Map ? Object.fromEntries(inner as Map<string, unknown>) : inner,
    ),
  ) as unknown;
  return createHash('sha256').update(canonical(plain)).digest('hex');
}
