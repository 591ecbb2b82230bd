/** Who is told: what the operator wrote under `notifications`, its secrets read, and named in the database. */
import { createSecretKey, type KeyObject } from 'node:crypto';
import type { MayflyConfig } from '#config/load.js';
import { WEBHOOK_SECRET_WANTED, webhookKey } from '#config/notifications.js';
import { IdentityError } from '#identity/errors.js';
import { transact, type Database } from '#store/database.js';
import { readPrivateFile } from '../private-file.js';

type Configured = MayflyConfig<'broker'>['services']['broker']['notifications'][number];

export type Receiver = Pick<Configured, 'id' | 'url' | 'events' | 'tenants'> &
  ({ kind: 'webhook'; key: KeyObject } | { kind: 'slack' });

/** @throws IdentityError for the file of a secret: it cannot be read, is open to others, or holds none */
export const openReceivers = (configured: readonly Configured[]): Promise<Receiver[]> =>
  Promise.all(
    configured.map(async ({ kind, secret, secretFile, ...rest }): Promise<Receiver> => {
      if (kind === 'slack') return { ...rest, kind };
      const key = webhookKey(secret ?? (await readPrivateFile(secretFile ?? '')).trim());
      if (key !== null) return { ...rest, kind, key: createSecretKey(key) };
      const what = { file: secretFile ?? '', receiver: rest.id };
      throw new IdentityError('ERR_IDENTITY_KEY_INVALID', `the secret ${WEBHOOK_SECRET_WANTED}`, what);
    }),
  );

/**
 * From its commit on these are told, and nobody else. They are rows so that whatever commits an event also writes down whom it is for,
 * and knows no configuration; of several brokers the one that was started last has said it.
 */
export async function nameReceivers(
  db: Database,
  receivers: readonly Pick<Receiver, 'id' | 'events' | 'tenants'>[],
): Promise<void> {
  await transact(db, async (tx) => {
    await tx.query('LOCK TABLE notification_receiver IN SHARE ROW EXCLUSIVE MODE');
    await tx.query('DELETE FROM notification_receiver');
    for (const { id, events, tenants } of receivers)
      await tx.query('INSERT INTO notification_receiver (receiver, events, tenants) VALUES ($1, $2, $3)', [
        id,
        events,
        tenants ?? null,
      ]);
  });
}
