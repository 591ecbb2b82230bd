/**
 * A Redis (or Valkey) target as the operator wrote it in `targets.yaml`, checked. The password becomes a `Secret` here and is clear
 * text again only in the driver.
 */
import { z } from 'zod';
import { anyTarget } from '../any-target.js';
import { LOOPBACK, tls } from '../target-tls.js';
import { Secret } from '../secret.js';

const MOST_NODES = 32;

const node = z.strictObject({
  host: z.string().min(1).max(255),
  port: z.coerce.number().int().min(1).max(65_535).default(6_379),
});

export const redisSettings = z
  .strictObject({
    ...anyTarget,
    provider: z.literal('redis'),
    /**
     * Every server that holds the data, replicas too: users are not replicated, so each is made and cut on each. Agents are told the
     * first one's address.
     */
    nodes: z
      .array(node)
      .min(1)
      .max(MOST_NODES)
      .refine((nodes) => new Set(nodes.map(({ host, port }) => `${host} ${port}`)).size === nodes.length, {
        error: 'a node is given twice',
      }),
    /** The servers' certificates are verified, against `ca` (PEM text) or the system's roots. `disable` is for loopback. */
    tls: tls.default({ mode: 'verify-full' }),
    /** The service's own account, the same on every node: the broker's creates, the revoker's cuts. */
    login: z.strictObject({
      user: z.string().min(1).max(128).regex(/^\S+$/, 'expected a name without spaces'),
      password: z
        .string()
        .min(1)
        .max(1_024)
        .transform((password) => new Secret(password)),
    }),
    /** Tells the principals of several Mayflies on one server apart. */
    namespace: z.string().regex(/^[0-9a-z]{3}$/, 'expected three lower-case letters or digits'),
    /**
     * `none`: a node that keeps its users in a file is lent to nobody, because whoever saves that file keeps our users in it. `static`:
     * the operator says that nobody ever does.
     */
    aclFile: z.enum(['none', 'static']).default('none'),
  })
  .refine(
    ({ nodes, tls: { mode } }) => mode !== 'disable' || nodes.every(({ host }) => LOOPBACK.test(host)),
    {
      path: ['tls', 'mode'],
      error: 'TLS can be disabled on loopback only',
    },
  );

export type RedisSettings = z.output<typeof redisSettings>;
