/**
 * A Kafka target as the operator wrote it in `targets.yaml`, checked. The password becomes a `Secret` here and is clear text
 * again only in the client.
 */
import { z } from 'zod';
import { Secret } from '../secret.js';
import { anyTarget } from '../any-target.js';
import { LOOPBACK, tls } from '../target-tls.js';

const BROKER = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?|\[[0-9A-Fa-f:]{2,39}\]):[0-9]{1,5}$/;
const MOST_BROKERS = 32;

/** How a login proves itself. PLAIN sends the password, so it belongs behind TLS. */
export const SCRAM_MECHANISMS = ['scram-sha-256', 'scram-sha-512'] as const;
export type ScramMechanism = (typeof SCRAM_MECHANISMS)[number];

/** Kafka takes no fewer and no more. */
const ITERATIONS = { least: 4_096, most: 16_384 };

const brokers = z
  .union([z.string(), z.array(z.string())], 'expected host:port[,host:port…]')
  .transform((given) => (typeof given === 'string' ? given.split(',') : given).map((each) => each.trim()))
  .pipe(z.array(z.string().regex(BROKER, 'expected host:port')).min(1).max(MOST_BROKERS));

export const kafkaSettings = z.strictObject({
  ...anyTarget,
  provider: z.literal('kafka'),
  /** `brokers`: some of them; the others are learnt. `tls`: as of `postgres`; `disable` is for loopback. */
  connection: z
    .strictObject({ brokers, tls: tls.default({ mode: 'verify-full' }) })
    .refine((to) => to.tls.mode !== 'disable' || to.brokers.every((each) => isLoopback(hostOf(each))), {
      path: ['tls', 'mode'],
      error: 'TLS can be disabled on loopback only',
    }),
  /** The service's own login at the target: it needs ALTER and DESCRIBE on the cluster. */
  login: z.strictObject({
    mechanism: z.enum(['plain', ...SCRAM_MECHANISMS]).default('scram-sha-512'),
    user: z.string().min(1).max(255),
    password: z
      .string()
      .min(1)
      .max(1_024)
      .transform((password) => new Secret(password)),
  }),
  /** Tells the principals of several Mayflies on one cluster apart. */
  namespace: z.string().regex(/^[0-9a-z]{3}$/, 'expected three lower-case letters or digits'),
  /** With which principals log in. */
  scram: z.enum(SCRAM_MECHANISMS).default('scram-sha-512'),
  scramIterations: z.coerce
    .number()
    .int()
    .min(ITERATIONS.least)
    .max(ITERATIONS.most)
    .default(ITERATIONS.least),
});

export type KafkaSettings = z.output<typeof kafkaSettings>;

export const isLoopback = (host: string): boolean => LOOPBACK.test(host);

/** Requires `host:port`, an IPv6 address in brackets. */
const hostOf = (broker: string): string =>
  broker.slice(0, broker.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');

export interface Address {
  host: string;
  port: number;
}

export const addressOf = (broker: string): Address => ({
  host: hostOf(broker),
  port: Number(broker.slice(broker.lastIndexOf(':') + 1)),
});
