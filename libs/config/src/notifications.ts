/** Who is told outside of what waits for people, or needs their eyes: section `services.broker.notifications`. */
import { z } from 'zod';
import { NOTIFIED_TYPES } from '#events/notified-types.js';

const MAX_RECEIVERS = 16;
const MAX_URL_CHARS = 2_048;
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '[::1]']);
const SECRET = /^whsec_((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;
const SECRET_BYTES = { least: 24, most: 64 };

/**
 * The key of a secret as Standard Webhooks 1.0 writes it: `whsec_`, and 24 to 64 bytes in base64.
 * @returns null for any other text
 */
export function webhookKey(secret: string): Buffer | null {
  const base64 = SECRET.exec(secret)?.[1];
  if (base64 === undefined) return null;
  const key = Buffer.from(base64, 'base64');
  return key.length >= SECRET_BYTES.least && key.length <= SECRET_BYTES.most ? key : null;
}
export const WEBHOOK_SECRET_WANTED = 'must be whsec_ and 24 to 64 bytes in base64';

function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, hash } = new URL(text);
  const secure = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.has(hostname));
  return secure && username === '' && password === '' && hash === '';
}

const receiver = z
  .strictObject({
    /** Of logs and metrics. */
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'must be a name of lower-case letters, digits and dashes'),
    kind: z.enum(['webhook', 'slack']),
    /** Whoever knows that of a chat may write there: MUST NOT be logged. */
    url: z
      .string()
      .max(MAX_URL_CHARS)
      .refine(isAddress, 'must be an https:// URL, or http:// on loopback, without user and fragment'),
    /** MUST NOT be logged. */
    secret: z
      .string()
      .refine((secret) => webhookKey(secret) !== null, WEBHOOK_SECRET_WANTED)
      .optional(),
    /** File that holds it, mode 0600. */
    secretFile: z.string().min(1, 'must not be empty').optional(),
    /** Absent: all. */
    events: z
      .array(z.enum(NOTIFIED_TYPES))
      .min(1)
      .default([...NOTIFIED_TYPES]),
    /** Absent: of all. */
    tenants: z.array(z.string().min(1, 'must not be empty').max(256)).min(1).max(256).optional(),
  })
  .refine(
    ({ kind, secret, secretFile }) =>
      kind !== 'webhook' || (secret === undefined) !== (secretFile === undefined),
    'a webhook needs either secret or secretFile',
  )
  .refine(
    ({ kind, secret, secretFile }) => kind !== 'slack' || (secret === undefined && secretFile === undefined),
    'the secret of slack is its url',
  );

export const notificationsSchema = z
  .array(receiver)
  .max(MAX_RECEIVERS)
  .refine((all) => new Set(all.map(({ id }) => id)).size === all.length, 'two receivers have one id');
