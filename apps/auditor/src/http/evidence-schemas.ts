/** The shapes of evidence. */
import { z } from 'zod';
import { schemaOf } from '../evidence/columns.js';
import { EVIDENCE, EVIDENCE_NAMES } from '../evidence/queries.js';
import { asOf } from './api-schemas.js';

export const evidenceName = z.enum(EVIDENCE_NAMES);

export const evidenceList = z.strictObject({
  queries: z.array(
    z.strictObject({ name: evidenceName, question: z.string(), parameters: z.array(z.string()) }),
  ),
});
export type EvidenceList = z.infer<typeof evidenceList>;

const ms = z.int().nonnegative().nullable();
const summary = z
  .strictObject({
    leases: z.int().nonnegative().describe('Of tasks that ended in the window.'),
    outlived: z.int().nonnegative(),
    open: z.int().nonnegative().describe('Not proven gone yet.'),
    ...{ p50Ms: ms, p95Ms: ms, maxMs: ms },
  })
  .describe('Of `outlived`, on its first page.');

const page = {
  question: z.string(),
  next: z.string().nullable().describe('Give it as `after` for the next page; null where there is none.'),
  as_of: asOf.describe('The state of the log that the rows are of: signed, and as far as it is projected.'),
};
/** Questions of one kind of rows have one schema. */
export const evidencePage = z.union(
  [...new Set(EVIDENCE_NAMES.map((name) => EVIDENCE[name].columns))].map((columns) =>
    z.strictObject({
      query: z.enum(EVIDENCE_NAMES.filter((name) => EVIDENCE[name].columns === columns)),
      ...page,
      rows: z.array(schemaOf(columns)),
      ...(columns === EVIDENCE.outlived.columns ? { summary: summary.optional() } : {}),
    }),
  ),
);
/** As it is made; the schema says the rows of each. */
export interface EvidencePage {
  query: z.infer<typeof evidenceName>;
  question: string;
  rows: Record<string, unknown>[];
  summary?: z.infer<typeof summary>;
  next: string | null;
  as_of: z.infer<typeof asOf>;
}
