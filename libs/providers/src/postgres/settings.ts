/**
 * A PostgreSQL target as the operator wrote it in `targets.yaml`, checked. The password becomes a `Secret` here and is clear text
 * again only in the driver.
 */
import { z } from 'zod';
import { Secret } from '../secret.js';
import { anyTarget } from '../any-target.js';
import { LOOPBACK, tls } from '../target-tls.js';
import { MOST_ISSUERS } from './issuer.js';

const DAY_MS = 86_400_000;

/** Either `password`, or `passwordFile`: only there it can be changed. */
const login = z
  .strictObject({
    user: z.string().min(1).max(63),
    password: z.string().min(1).max(1_024).optional(),
    passwordFile: z.string().max(4_096).startsWith('/', 'expected an absolute path').optional(),
    rotateEveryMs: z.coerce
      .number()
      .int()
      .min(60_000)
      .max(365 * DAY_MS)
      .optional(),
  })
  .refine(({ password, passwordFile }) => (password === undefined) !== (passwordFile === undefined), {
    path: ['password'],
    error: 'expected either this or passwordFile',
  })
  .refine(({ passwordFile, rotateEveryMs }) => rotateEveryMs === undefined || passwordFile !== undefined, {
    path: ['rotateEveryMs'],
    error: 'expected passwordFile beside it',
  })
  // Of a password in a file nothing is known here: `TargetLogin` reads it at each login.
  .transform(({ password = '', ...more }) => ({ ...more, password: new Secret(password) }));

export const postgresSettings = z.strictObject({
  ...anyTarget,
  provider: z.literal('postgres'),
  /** `tls`: the server's certificate is verified, against `ca` (PEM text) or the system's roots. `disable` is for loopback. */
  connection: z
    .strictObject({
      host: z.string().min(1).max(255),
      port: z.coerce.number().int().min(1).max(65_535),
      database: z.string().min(1).max(63),
      tls: tls.default({ mode: 'verify-full' }),
    })
    .refine((to) => to.tls.mode !== 'disable' || LOOPBACK.test(to.host), {
      path: ['tls', 'mode'],
      error: 'TLS can be disabled on loopback only',
    }),
  /** The service's own login at the target: the broker's creates, the revoker's cuts. */
  login,
  /** The common creator of all principals (deploy/sample/target/10-rights.sql). */
  issuerRole: z.literal('mayfly_issuer').default('mayfly_issuer'),
  /**
   * How many creators share the principals: `mayfly_issuer`, `mayfly_issuer_1` and so on. By default the one that a target
   * has whose rights were set up before there were several.
   */
  issuerShards: z.coerce.number().int().min(1).max(MOST_ISSUERS).default(1),
  /** Tells the principals of several Mayflies on one cluster apart. */
  namespace: z.string().regex(/^[0-9a-z]{3}$/, 'expected three lower-case letters or digits'),
  /** SCRAM iterations of a principal's verifier. 1 is sound for a random 256-bit secret; some clients insist on 4096. */
  scramIterations: z.coerce.number().int().min(1).max(100_000).optional(),
});

export type PostgresSettings = z.output<typeof postgresSettings>;
