/** What is told of a new version of the catalogue. */
import { z } from 'zod';

/** The catalogue's files, each a list of entries. */
export const CATALOGUE_KINDS = [
  'orchestrators',
  'operators',
  'agents',
  'tools',
  'datasets',
  'targets',
] as const;
export type CatalogueKind = (typeof CATALOGUE_KINDS)[number];

/** Ids of entries. `more`: so many that are left out, of all three lists. */
const entryChanges = z.object({
  added: z.array(z.string()),
  removed: z.array(z.string()),
  changed: z.array(z.string()),
  more: z.int().nonnegative().optional(),
});
export type EntryChanges = z.infer<typeof entryChanges>;

const ofEachKind = <T extends z.ZodType>(schema: T) =>
  z.object(Object.fromEntries(CATALOGUE_KINDS.map((kind) => [kind, schema])) as Record<CatalogueKind, T>);

export const catalogueActivated = {
  /** Digests, `sha256:<hex>`. */
  catalogue: z.string(),
  previous: z.string().optional(),
  /** Of the kinds of which something is different. */
  changes: ofEachKind(entryChanges.optional()),
  /** How many of each kind it has. */
  entries: ofEachKind(z.int().nonnegative()),
  /** The login that owns the newest file of the folder. Nobody checks it. */
  by: z.string(),
};
