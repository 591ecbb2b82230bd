/** How the way to a target is kept private, as operators write it. Off on loopback only. */
import { z } from 'zod';

/** An empty value is how an interpolated variable says that there is none. */
const ca = z.preprocess(
  (value) => (value === '' || value === null ? undefined : value),
  z
    .string()
    .includes('-----BEGIN CERTIFICATE-----', { error: 'expected certificates as PEM text' })
    .optional(),
);
export const tls = z.discriminatedUnion('mode', [
  z.strictObject({ mode: z.literal('disable'), ca: z.literal(['', null]).optional() }).transform(() => ({
    mode: 'disable' as const,
  })),
  z
    .strictObject({ mode: z.literal('verify-full'), ca })
    .transform(({ mode, ca: pem }) => (pem === undefined ? { mode } : { mode, ca: pem })),
]);
export const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
