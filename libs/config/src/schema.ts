/** The shape of `mayfly.yaml`. Strict: an unknown key is a mistake of the operator's, and is said so. */
import { z } from 'zod';
import { APPROVAL_RULES } from '#events/approval-facts.js';
import { SERVICES } from '#events/services.js';
import { anchorsSchema } from './anchors.js';
import { driftSchema } from './drift.js';
import { retentionSchema } from './retention.js';
import { notificationsSchema } from './notifications.js';
import { secureUrl } from './secure-url.js';

const text = z.string().min(1, 'must not be empty');
const port = z.int().min(0).max(65_535);
const databaseUrl = z.string().regex(/^postgres(ql)?:\/\//, 'must be a postgres:// URL');
const roleName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'must be a role name');
const schemaName = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'must be a lower-case schema name');
const trustDomain = z.string().regex(/^[a-z0-9._-]{1,255}$/, 'must be a SPIFFE trust domain');

const http = z.strictObject({
  host: text,
  port,
  /** The operator's word that whoever reaches `host` came through TLS, which something in front of it ended. */
  behindTls: z.boolean().optional(),
});
/** `url` holds a password: MUST NOT be logged. */
const database = z.strictObject({ url: databaseUrl, schema: schemaName });

const brokers = z
  .union([z.string(), z.array(z.string())], 'must be host:port[,host:port…]')
  .transform((given) => (typeof given === 'string' ? given.split(',').map((item) => item.trim()) : given))
  .pipe(
    z.array(z.string().regex(/^[^\s,:]+:\d{1,5}$|^\[[0-9a-fA-F:]+\]:\d{1,5}$/, 'must be host:port')).min(1),
  );

const kafka = z.strictObject({
  brokers,
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
      username: text,
      /** MUST NOT be logged. */
      password: text,
    })
    .optional(),
  /** `ca`, `cert` and `key` are PEM files; `ca` absent: the system's roots; `cert` and `key` together, for mutual TLS. */
  tls: z
    .strictObject({
      enabled: z.boolean(),
      ca: text.optional(),
      cert: text.optional(),
      key: text.optional(),
    })
    .refine((tls) => (tls.cert === undefined) === (tls.key === undefined), 'cert and key go together')
    .optional(),
});

/** The tables of the bus, where there is no Kafka. */
const postgresBus = database.extend({ schema: schemaName.default('bus') });
const bus = z
  .strictObject({ kafka: kafka.optional(), postgres: postgresBus.optional() })
  .refine(
    (given) => given.kafka === undefined || given.postgres === undefined,
    'kafka and postgres are both set',
  );

const service = z.strictObject({
  http,
  database,
  /** Private ES256 JWK that signs this service's records; a file with mode 0600. */
  signingKey: text,
});
const broker = service.extend({
  /** Name of the issuer in tokens; absent: the address under `http`. */
  issuer: secureUrl.optional(),
  /** How people are asked about calls. */
  approvals: z
    .strictObject({
      expiresMs: z.int().min(10_000).max(86_400_000).default(APPROVAL_RULES.expiresMs),
      maxOpenPerAgent: z.int().min(1).max(10_000).default(APPROVAL_RULES.maxOpenPerAgent),
    })
    .prefault({}),
  /** What drift weighs, and when a task is suspended for it. */
  drift: driftSchema.prefault({}),
  /** Whom calls are decided by (ADR 22). */
  decisions: z
    .strictObject({
      /** `compiled`: compiled policies, which the engine confirms. `engine`: the engine alone. */
      by: z.enum(['compiled', 'engine']).default('compiled'),
      /** Of so many answers in a situation that the engine has decided before it is asked for one again. */
      confirmOneIn: z.int().min(1).max(10_000).default(100),
    })
    .prefault({}),
  /** How many ancestors a task may have: every call locks and every lease names the whole chain. */
  maxDelegationDepth: z.int().min(0).max(16).default(8),
  /** Who is told outside the bus. */
  notifications: notificationsSchema.default([]),
  /** Absent: no tokens are made. */
  tokens: z
    .strictObject({
      /** File with 32 bytes in base64, mode 0600: encrypts the private keys that are kept in the database. */
      keyEncryptionKey: text,
      rotateEveryMs: z.int().min(60_000).max(31_536_000_000).default(86_400_000),
      publishAheadMs: z.int().min(10_000).max(3_600_000).default(60_000),
      /** Where the status lists are; absent: tokens are in none. */
      statusLists: secureUrl.optional(),
    })
    .refine((tokens) => tokens.publishAheadMs * 2 <= tokens.rotateEveryMs, {
      path: ['publishAheadMs'],
      error: 'must be at most half of rotateEveryMs',
    })
    .optional(),
});
/** Who is told of revocations as security events (CAEP): either we push to `url`, or the identity `poller` fetches. */
const receiver = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a name of lower-case letters, digits and dashes'),
    /** `aud` of its events. */
    audience: text.max(512),
    url: secureUrl.optional(),
    /** Header `Authorization` of each push. MUST NOT be logged. */
    authorization: text.max(4_096).optional(),
    /** SPIFFE id. */
    poller: z
      .string()
      .regex(/^spiffe:\/\/[a-z0-9._-]{1,255}(\/[A-Za-z0-9._-]+)+$/, 'must be a SPIFFE id')
      .optional(),
  })
  .refine((given) => (given.url === undefined) !== (given.poller === undefined), 'needs either url or poller')
  .refine(
    (given) => given.authorization === undefined || given.url !== undefined,
    'authorization is for a url',
  );
const revoker = service.extend({
  /** How others reach it: begins the URIs of status lists, and names the issuer of security events. Absent: the address under `http`. */
  publicUrl: secureUrl.optional(),
  statusList: z
    .strictObject({
      /** How long a copy may be used without asking again. */
      ttlMs: z.int().min(1_000).max(300_000).default(5_000),
      /** How long it may be used where nobody answers. */
      validMs: z.int().min(5_000).max(3_600_000).default(60_000),
    })
    .refine((list) => list.ttlMs <= list.validMs, { path: ['ttlMs'], error: 'must be at most validMs' })
    .prefault({}),
  /** Comparing the targets with the ledger, besides at every start and after a restart of a target. */
  sweep: z
    .strictObject({
      everyMs: z.int().min(5_000).max(3_600_000).default(60_000),
      /** How young a principal may be that no lease explains, and still be let alone. */
      orphanGraceMs: z.int().min(0).max(600_000).default(30_000),
    })
    .prefault({}),
  /** Looking for accounts of others that reach governed data, besides at every start and after a change of the catalogue. */
  standingAccess: z
    .strictObject({ everyMs: z.int().min(10_000).max(86_400_000).default(3_600_000) })
    .prefault({}),
  /** Absent: nobody is told but on the bus. */
  caep: z
    .strictObject({
      /** The broker's issuer, as tokens name it. */
      tokenIssuer: secureUrl,
      receivers: z
        .array(receiver)
        .min(1)
        .max(32)
        .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'two receivers have one id'),
    })
    .optional(),
});
const auditor = z.strictObject({
  http,
  /** `ownerUrl` migrates; `url` may only add and read. `signerRole`: with which the signer logs in. */
  database: database.extend({ ownerUrl: databaseUrl, signerRole: roleName.default('mayfly_signer') }),
  signingKey: text,
  log: z.strictObject({
    /** C2SP checkpoint origin. */
    origin: z.string().regex(/^[^\s+]{1,255}$/, 'must have no space and no plus'),
    pseudonymKey: text,
    anchors: anchorsSchema.prefault({}),
    /** File with the last good checkpoint of the log in whose place this one is: its first entry says so. */
    continues: text.optional(),
  }),
});
/** Signs the heads of the auditor's log: reads its tree and adds checkpoints, with a login and a key of its own. */
const signer = z.strictObject({
  http,
  database,
  /** Files with private note keys, mode 0600, named after the log's origin. Every checkpoint is signed with all of them. */
  keys: z
    .union([text, z.array(text).min(1).max(4)])
    .transform((given) => (typeof given === 'string' ? [given] : given)),
});

/** How long an issuer's keys are believed while they cannot be read again. */
const maxStaleMs = z.int().min(60_000).max(604_800_000).default(86_400_000);

const spiffeIssuer = z.strictObject({
  type: z.literal('spiffe'),
  trustDomain,
  /** SPIFFE bundle (JWKS): a file, `https://…`, or `unix:///…` of the Workload API. */
  bundle: text,
  audience: text,
  /** The domain's keys are made on this machine; refused in production. */
  development: z.boolean().optional(),
  maxStaleMs,
});

const digits = z.string().regex(/^\d+$/, 'must be an id in digits, in quotes');
const subject = z
  .strictObject({
    id: z.string().regex(/^spiffe:\/\//, 'must be a SPIFFE id'),
    kubernetes: z.strictObject({ namespace: text, serviceAccountUid: text }).optional(),
    github: z
      .strictObject({
        repositoryId: digits,
        repositoryOwnerId: digits,
        jobWorkflowRef: z.string().regex(/@./, 'must be a workflow with its @ref'),
        environment: text.optional(),
        ref: text.optional(),
      })
      .optional(),
    claims: z.record(text, z.union([z.string(), z.number(), z.boolean()])).optional(),
  })
  .refine(
    ({ kubernetes, github, claims }) =>
      [kubernetes, github, claims].filter((kind) => kind !== undefined).length === 1,
    'needs one of kubernetes, github and claims',
  );

const oidcIssuer = z
  .strictObject({
    type: z.literal('oidc'),
    /** `iss` of its tokens, exactly. */
    issuer: z.string().regex(/^https:\/\/[^\s?#]+$/, 'must be an https URL'),
    /** JWK Set: a file or `https://…`. */
    jwks: text,
    audience: text,
    /** Who its workloads are here: the first that matches. */
    subjects: z.array(subject).optional(),
    /** Whom it may name: as a task's principal, and, for `signInAudience`, as who approves and operates. */
    persons: z.strictObject({ claim: text, domain: text, signInAudience: text.optional() }).optional(),
    /** Its key lies on this machine; refused in production. */
    development: z.boolean().optional(),
    maxStaleMs,
  })
  .refine(
    ({ subjects, persons }) => (subjects?.length ?? 0) > 0 || persons !== undefined,
    'needs subjects or persons',
  );

export const mayflySchema = z.strictObject({
  environment: z.enum(['production', 'development']),
  stateDir: text,
  /** One of the two; `loadConfig` says who may go without. Absent where all its variables are unset. */
  bus: bus.prefault({}),
  services: z.strictObject({
    broker: broker.optional(),
    revoker: revoker.optional(),
    auditor: auditor.optional(),
    signer: signer.optional(),
  }),
  trust: z.strictObject({
    issuers: z.array(z.discriminatedUnion('type', [spiffeIssuer, oidcIssuer])).min(1),
    /** Public keys of the services, with which consumers verify each other's records. */
    services: z.partialRecord(z.enum(SERVICES), z.strictObject({ jwks: text })),
    maxClockSkewMs: z.int().min(0).max(60_000).default(2_000),
  }),
  retention: retentionSchema.prefault({}),
  /** Folders; read relative to the file. */
  catalogue: text,
  policy: text,
});

export type MayflyFile = z.infer<typeof mayflySchema>;
