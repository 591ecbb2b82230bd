/**
 * What orchestrators and agents say, on `mayfly.task.events.v1`: shapes and limits (docs/reference).
 * Schemas tolerate unknown members; every size is bounded. Nothing here has been authenticated.
 */
import { z } from 'zod';

const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'expected 64 lower-case hex digits');
export const uuidV7 = z
  .string()
  .regex(
    /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    'expected a lower-case UUIDv7',
  );
const name = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/, 'expected a name of at most 128 characters');
export const spiffeId = z
  .string()
  .max(2048)
  .regex(/^spiffe:\/\/[a-z0-9._-]+(\/[A-Za-z0-9._-]+)+$/, 'expected a SPIFFE id');
const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((s) => s.isWellFormed(), 'lone surrogate');
/** RFC 3339 bounds no fraction of a second. */
const timestamp = z.iso.datetime({ offset: false }).max(40);
const actions = z.array(name).min(1).max(16);
const triple = z.object({ tool: name, dataset: name.optional(), actions });

/** A public JWK that credentials are sealed to: EC P-256 or OKP X25519. */
export const sealKey = z.union([
  z.object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string().max(64),
    y: z.string().max(64),
    d: z.never().optional(),
  }),
  z.object({
    kty: z.literal('OKP'),
    crv: z.literal('X25519'),
    x: z.string().max(64),
    d: z.never().optional(),
  }),
]);
export type SealKey = z.infer<typeof sealKey>;

export const taskStarted = z.object({
  taskId: uuidV7,
  purpose: text(4096),
  objectiveSha256: sha256Hex,
  principal: z.object({ id: text(512), kind: name }),
  agents: z
    .array(z.object({ id: spiffeId }))
    .min(1)
    .max(32),
  declared: z
    .array(triple.extend({ agents: z.array(spiffeId).min(1).max(32).optional() }))
    .min(1)
    .max(64),
  deadline: timestamp,
  risk: z.enum(['low', 'medium', 'high']),
  parent: z.object({ taskId: uuidV7 }).optional(),
  delegable: z.array(triple).max(64).optional(),
  limits: z
    .object({
      maxCalls: z.int().positive().max(1_000_000).optional(),
      maxRows: z.int().positive().max(1_000_000_000).optional(),
    })
    .optional(),
  agentsMayEnd: z.boolean().optional(),
  labels: z
    .record(z.string().max(64), z.string().max(256))
    .refine((labels) => Object.keys(labels).length <= 64, 'expected at most 64 labels')
    .optional(),
});

export const toolCalled = z.object({
  taskId: uuidV7,
  callId: uuidV7,
  tool: name,
  dataset: name.optional(),
  action: name,
  credential: name.optional(),
  argumentsSha256: sha256Hex.optional(),
  objectiveSha256: sha256Hex.optional(),
  prompt: z.object({ commitment: sha256Hex, ciphertext: z.string().max(65_536).optional() }).optional(),
  model: z.object({ name: text(128), version: text(128).optional() }).optional(),
  ttlMs: z.int().positive().max(86_400_000).optional(),
  sealTo: sealKey,
  /** Some senders repeat who they are; it must then be the authenticated sender. */
  agent: spiffeId.optional(),
});

export const toolCompleted = z.object({
  taskId: uuidV7,
  callId: uuidV7,
  leaseId: uuidV7.optional(),
  outcome: z.enum(['ok', 'error', 'refused']),
  rows: z.int().nonnegative().optional(),
});

export const taskAmended = z.object({
  taskId: uuidV7,
  declared: taskStarted.shape.declared.optional(),
  deadline: timestamp.optional(),
  rekey: spiffeId.optional(),
  reason: text(1024).optional(),
});

export const taskEnded = z.object({
  taskId: uuidV7,
  outcome: z.enum(['completed', 'failed', 'cancelled']),
  reason: text(1024).optional(),
});

export const renewalRequested = z.object({
  taskId: uuidV7,
  leaseId: uuidV7,
  ttlMs: z.int().positive().max(86_400_000).optional(),
});

const PREFIX = 'dev.mayfly.';
/** Inbound schemas by short type: `task.started` is `dev.mayfly.task.started.v1` on the wire. */
export const inboundSchemas = {
  'task.started': taskStarted,
  'task.amended': taskAmended,
  'task.ended': taskEnded,
  'tool.called': toolCalled,
  'tool.completed': toolCompleted,
  'lease.renewal_requested': renewalRequested,
} as const;

export type InboundType = keyof typeof inboundSchemas;
export type InboundData<T extends InboundType = InboundType> = z.infer<(typeof inboundSchemas)[T]>;
export type InboundEvent = { [T in InboundType]: { type: T; data: InboundData<T> } }[InboundType];

export type TaskStarted = z.infer<typeof taskStarted>;
export type ToolCalled = z.infer<typeof toolCalled>;
export type ToolCompleted = z.infer<typeof toolCompleted>;
export type TaskAmended = z.infer<typeof taskAmended>;
export type TaskEnded = z.infer<typeof taskEnded>;

/** `task.started` → `dev.mayfly.task.started.v1`. */
export const wireType = (type: string) => `${PREFIX}${type}.v1`;

/** The short type of a wire type, or undefined if it is not version 1 of one of ours. */
export function shortType(wire: string): string | undefined {
  return wire.startsWith(PREFIX) && wire.endsWith('.v1')
    ? wire.slice(PREFIX.length, -'.v1'.length)
    : undefined;
}

export const isInboundType = (type: string | undefined): type is InboundType =>
  type !== undefined && Object.hasOwn(inboundSchemas, type);
