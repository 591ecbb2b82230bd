/** The shapes of what the auditor answers. Types and the OpenAPI document are made of them. Hashes and bytes are base64; `seq` stays below 2^53. */
import { z } from 'zod';

const seq = z.int().nonnegative().describe('Place in the log.');
const base64 = z.base64();

export const asOf = z
  .strictObject({ size: z.int().nonnegative(), root: base64 })
  .describe('The signed head that the answer is of: entries with a smaller `seq` are in it.');
export type AsOfView = z.infer<typeof asOf>;

const envelope = z
  .record(z.string(), z.unknown())
  .describe(
    'What the leaf says; see the format of the log. A person is a pseudonym, free text a commitment.',
  );

const entryMembers = {
  seq,
  leaf: base64.describe('The exact bytes that are hashed; `envelope` is what they say.'),
  leafHash: base64,
  envelope,
};
export const entry = z.strictObject({
  ...entryMembers,
  proof: z.array(base64).optional().describe('Inclusion proof (RFC 6962 §2.1.1) for `as_of`.'),
});
export type EntryView = z.infer<typeof entry>;

export const entryPage = z.strictObject({
  entries: z.array(entry),
  next: z.string().nullable().describe('Give it as `after` for the next page; null where there is none.'),
  as_of: asOf,
  range: z
    .strictObject({ first: seq, end: seq })
    .describe(
      'All entries from `first` to before `end` were asked about, in this page and those that follow.',
    ),
  checkpoint: z.string().optional().describe('With `proof=inclusion`: the signed note of `as_of` (C2SP).'),
});
export type EntryPage = z.infer<typeof entryPage>;

export const entryDetail = z.strictObject({
  ...entryMembers,
  payload: z
    .enum(['kept', 'erased'])
    .describe('`erased`: commitments of this entry can no longer be opened.'),
  opened: z
    .record(z.string(), z.unknown())
    .describe(
      'Values behind commitments, by JSON pointer into the event, each checked against its commitment.',
    ),
  as_of: asOf.nullable().describe('The newest signed head; null before the first.'),
});
export type EntryDetail = z.infer<typeof entryDetail>;

const step = z.strictObject({
  seq,
  at: z.string().describe('When the bus appended the record, RFC 3339.'),
  type: z.string(),
  by: z.string().describe('The workload or service that was proved to have written it.'),
  line: z.string(),
  proof: z.string().describe('Where its inclusion proof is.'),
});
export const story = z.strictObject({
  taskId: z.string(),
  steps: z.array(step),
  truncated: z.boolean().describe('There are more steps than are told.'),
  text: z.string().describe('The steps as text, a line each.'),
  as_of: asOf,
});
export type StoryView = z.infer<typeof story>;

const held = z.strictObject({
  leaseId: z.string(),
  taskId: z.string(),
  tenant: z.string().nullable(),
  principal: z.string().nullable().describe('For whom the task runs; a person by pseudonym.'),
  agent: z.string(),
  tool: z.string().nullable(),
  dataset: z.string().nullable(),
  action: z.string().nullable(),
  target: z.string().nullable(),
  account: z.string().nullable().describe('At the target.'),
  rights: z.array(z.string()),
  from: z.string().describe('When it was issued, RFC 3339.'),
  until: z.string().describe('When access was cut; or else when it runs out, as it stood at `at`.'),
  cause: z.string().nullable().describe('Why it was cut.'),
  complete: z.boolean().describe('False where its task has more events than were looked at.'),
  entries: z
    .strictObject({ decided: seq.nullable(), issued: seq, cut: seq.nullable() })
    .describe('That say so.'),
});
export const accessPage = z.strictObject({
  at: z.string(),
  held: z.array(held),
  next: z.string().nullable().describe('Give it as `after` for the next page; null where there is none.'),
  as_of: asOf,
});
export type AccessPage = z.infer<typeof accessPage>;

export const decisionFindings = z.strictObject({
  absent: z.array(z.string()).describe('The log has no such decision of the broker.'),
  differ: z.array(z.string()).describe('The log has another under this id.'),
});

export const problem = z.object({
  type: z.literal('about:blank'),
  title: z.string(),
  status: z.int(),
  code: z.string().describe('Stable.'),
  detail: z.string(),
  parameter: z.string().optional().describe('Which one is wrong.'),
  offset: z.int().nonnegative().optional().describe('Where in `filter`, in UTF-16 code units.'),
});
