/** What is different between two catalogues, by the ids of their entries. Pure. */
import { CATALOGUE_KINDS, type CatalogueKind, type EntryChanges } from '#events/catalogue-events.js';
import type { CatalogueFingerprints } from './catalogue-digest.js';
import { policyChanges } from './policy-changes.js';

/** Of each list; a catalogue of thousands that is there for the first time must not be a record of megabytes. */
const MOST_IDS = 20;

/** @returns only kinds of which something is different. @param before empty for a first one */
export function catalogueChanges(
  before: Partial<CatalogueFingerprints>,
  after: CatalogueFingerprints,
): Partial<Record<CatalogueKind, EntryChanges>> {
  return Object.fromEntries(
    CATALOGUE_KINDS.flatMap((kind) => {
      const { added, removed, changed } = policyChanges(before[kind] ?? {}, after[kind]);
      const lists = [added, removed, changed];
      if (lists.every(({ length }) => length === 0)) return [];
      const more = lists.reduce((sum, { length }) => sum + Math.max(0, length - MOST_IDS), 0);
      const told = (ids: string[]) => ids.slice(0, MOST_IDS);
      const changes: EntryChanges = {
        ...{ added: told(added), removed: told(removed), changed: told(changed) },
        ...(more === 0 ? {} : { more }),
      };
      return [[kind, changes]];
    }),
  );
}
