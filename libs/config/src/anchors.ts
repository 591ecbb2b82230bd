/** Where heads of the log are kept outside its database (`services.auditor.log.anchors`). */
import { z } from 'zod';
import { secureUrl } from './secure-url.js';

const WITNESSES = 32;

const witness = z.strictObject({
  /** In remarks, metrics and log lines. */
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a name of lower-case letters, digits and dashes'),
  /** Submission prefix (C2SP tlog-witness): `/add-checkpoint` is put behind it. */
  url: secureUrl,
  /** Public key of its cosignatures (C2SP tlog-cosignature); whether it is one is seen at the start. */
  vkey: z.string().regex(/^[^\s+]+\+[0-9a-f]{8}\+\S+$/, 'must be a public key of notes'),
});

const areUnlike = <T>(all: readonly T[], of: (each: T) => string) => new Set(all.map(of)).size === all.length;

export const anchorsSchema = z.strictObject({
  /** How often one anchor is brought a new head at most. */
  everyMs: z.int().min(1_000).max(3_600_000).default(10_000),
  /** Folder of checkpoints, a file each; absent: none. */
  files: z.string().min(1, 'must not be empty').optional(),
  witnesses: z
    .array(witness)
    .max(WITNESSES)
    .refine((all) => areUnlike(all, ({ name }) => name), 'two witnesses have one name')
    .refine((all) => areUnlike(all, ({ vkey }) => vkey), 'two witnesses have one key')
    .default([]),
});
