/** The shapes of the catalogue's files. Strict: an unknown key is a mistake, and could be a limit that is not kept. */
import { z } from 'zod';
import { tokenAudience } from '#providers/jwt/audience.js';
import { redisRight } from '#providers/redis/right.js';

const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'expected a name of at most 128 characters');
const spiffeId = z
  .string()
  .max(2048)
  .regex(/^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/, 'expected a SPIFFE id');
const domain = z.string().regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'expected a lower-case domain name');
const text = z.string().min(1).max(512);
/** As a call may say it, exactly. */
const modelName = z.string().min(1).max(128);
const names = z.array(name).max(256).default([]);
const atOnce = z.int().positive().max(1_000_000);

const orchestrator = z.strictObject({
  id: spiffeId,
  groups: names,
  owner: text,
  tenant: name,
  agents: z.array(spiffeId),
  datasets: z.array(name),
  mayAssert: z.array(domain).default([]),
  limits: z.strictObject({
    maxCalls: z.int().positive().max(1_000_000),
    maxRows: z.int().positive().max(1_000_000_000),
    /** Absent: no limit. No higher rate is known of a task. */
    maxCallsPerMinute: z.int().positive().max(1_000).optional(),
  }),
  maxConcurrentTasks: atOnce,
});

const person = z
  .string()
  .max(259)
  .regex(/^user:[a-z0-9._+-]+@[a-z0-9.-]+$/, 'expected a SPIFFE id, or user:name@domain in lower case');

const operator = z.strictObject({
  id: z.union([spiffeId, person], 'expected a SPIFFE id, or user:name@domain in lower case'),
  roles: z.array(z.enum(['operator', 'approver', 'auditor'])).min(1),
  groups: names.optional(),
  tenants: z.array(name).min(1).max(64).optional(),
});

const agent = z.strictObject({
  id: spiffeId,
  groups: names,
  owner: text,
  environment: name,
  attested: z.boolean(),
  trust: z.int().min(0).max(100).default(50),
  models: z
    .array(z.strictObject({ name: modelName, version: modelName.optional() }))
    .min(1)
    .max(64)
    .optional(),
  maxConcurrentTasks: atOnce,
});

const tool = z.strictObject({
  id: name,
  groups: names,
  risk: z.int().min(0).max(100),
  external: z.boolean(),
  dataset: z.enum(['required', 'none']),
  actions: z.array(name).min(1).max(16),
  target: name.optional(),
  verifiers: z.array(spiffeId).default([]),
  approvers: names.optional(),
});

/** What it names depends on the target's kind, and is looked at beside it. */
const right = z.union([name, redisRight], 'expected a name, or a right of a redis target');

const dataset = z.strictObject({
  id: name,
  owner: text.optional(),
  domains: names,
  classification: z.enum(['public', 'internal', 'confidential', 'restricted']),
  residency: name,
  pii: z.boolean(),
  target: name,
  approvers: names.optional(),
  actions: z
    .record(
      name,
      z.strictObject({
        rights: z.array(right).min(1).max(16),
        /** Absent: `readDataset` for `read`, `writeDataset` for any other. */
        cedar: z.enum(['readDataset', 'writeDataset']).optional(),
      }),
    )
    .refine((actions) => Object.keys(actions).length > 0, 'needs an action'),
});

/** What everyone may know of a target. How to log in there is `#providers/target-settings.js`. */
const anyTarget = z.object({ id: name, maxTtlMs: z.int().min(1_000).max(86_400_000) });
const target = z.discriminatedUnion('provider', [
  anyTarget.extend({ provider: z.literal('postgres') }),
  anyTarget.extend({ provider: z.literal('redis') }),
  anyTarget.extend({ provider: z.literal('kafka') }),
  anyTarget.extend({ provider: z.literal('jwt'), audience: tokenAudience }),
]);

export const catalogueSchemas = {
  orchestrators: z.array(orchestrator),
  operators: z.array(operator),
  agents: z.array(agent),
  tools: z.array(tool),
  datasets: z.array(dataset),
  targets: z.array(target),
} as const;
