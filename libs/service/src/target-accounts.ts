/**
 * Our own accounts at the targets get other passwords: by schedule, or at an operator's word. Which process does it is decided by a lock of a
 * session, not by a clock (ADR 3): one that stands still keeps others from it, and one that dies lets the next go on where it stopped.
 */
import type { EventOf } from '#events/outbound.js';
import { serviceSource, type ServiceName } from '#events/services.js';
import { rotateLogin } from '#providers/postgres/rotate-login.js';
import type { PostgresSettings } from '#providers/postgres/settings.js';
import type { TargetSettings } from '#providers/target-settings.js';
import { transact, type Database } from '#store/database.js';
import type { Migration } from '#store/migrate.js';
import { enqueue, type QueuedRecord, type UnsignedRecord } from '#store/outbox.js';
import { repeat } from '#store/repeat.js';
import type { Log } from '#telemetry/log.js';
import type { Metrics } from '#telemetry/metrics.js';

/** `ordered_by`: an operator's word that waits; carried out by whichever process of the service comes first. */
export const targetAccountMigration = (service: ServiceName): Migration => ({
  id: `${service}-target-account-1`,
  sql: `CREATE TABLE target_account (
    target text PRIMARY KEY, rotated_at timestamptz NOT NULL DEFAULT now(), ordered_by text);`,
});

export interface TargetAccountMeans {
  service: ServiceName;
  db: Database;
  targets: readonly TargetSettings[];
  /** A fact as this service tells it. */
  recordOf: (event: EventOf<'target_account.rotated'>, atMs: number) => UnsignedRecord;
  /** Takes what is to be told, once it is committed. */
  send: (queued: QueuedRecord[]) => void;
  log: Log;
  metrics: Metrics;
  rotate?: typeof rotateLogin;
}

const LOOK_EVERY_MS = 5_000;
/** After a failure: each try is a login that the server refuses. */
const AGAIN_AFTER_MS = 60_000;

export class TargetAccounts {
  readonly #accounts: PostgresSettings[];
  readonly #notBeforeMs = new Map<string, number>();
  readonly #count: (target: string, outcome: 'rotated' | 'failed') => void;
  #loop: { stop: () => Promise<void> } | undefined;

  constructor(private readonly means: TargetAccountMeans) {
    this.#accounts = means.targets.filter(isOurs);
    const rotations = means.metrics.counter({
      name: 'target_account_rotations_total',
      help: 'Passwords of our own accounts at targets that were to be changed, by what became of it.',
      labels: ['target', 'outcome'],
    });
    this.#count = (target, outcome) => rotations.inc({ target, outcome });
  }

  begin(): void {
    if (this.#accounts.length === 0) return;
    const { log } = this.means;
    this.#loop = repeat(
      LOOK_EVERY_MS,
      () => this.turn(),
      (err) => log.error({ err }, 'looking after our accounts at targets failed'),
    );
  }

  /** Lets what has begun come to its end. */
  async stop(): Promise<void> {
    await this.#loop?.stop();
  }

  /** Does what is due. One that fails keeps no other from it. */
  async turn(): Promise<void> {
    for (const account of this.#accounts) {
      if (Date.now() < (this.#notBeforeMs.get(account.id) ?? 0)) continue;
      try {
        await this.#turnOf(account);
      } catch (err) {
        this.#count(account.id, 'failed');
        this.#notBeforeMs.set(account.id, Date.now() + AGAIN_AFTER_MS);
        const { log } = this.means;
        log.error({ err, target: account.id }, 'our account at a target could not be given another password');
      }
    }
  }

  async #turnOf(account: PostgresSettings): Promise<void> {
    const { db, rotate = rotateLogin } = this.means;
    await db.pool.query('INSERT INTO target_account (target) VALUES ($1) ON CONFLICT DO NOTHING', [
      account.id,
    ]);
    if ((await dueOf(db, account)) === null) return;
    await underLock(db, account.id, async (mayGoOn) => {
      // Another process may have done it meanwhile.
      const due = await dueOf(db, account);
      if (due === null) return;
      await rotate(account, { mayGoOn });
      await this.#settle(account, due);
    });
  }

  async #settle(account: PostgresSettings, { by }: Due): Promise<void> {
    const { service, db, recordOf, send, log } = this.means;
    const nowMs = Date.now();
    const event: EventOf<'target_account.rotated'> = {
      type: 'target_account.rotated',
      data: {
        taskId: 'target-account',
        generation: 0,
        actor: serviceSource(service),
        at: new Date(nowMs).toISOString(),
        service,
        target: account.id,
        account: account.login.user,
        why: by === null ? 'schedule' : 'order',
        ...(by !== null && { by }),
      },
    };
    const queued = await transact(db, async (tx) => {
      await tx.query('UPDATE target_account SET rotated_at = now(), ordered_by = NULL WHERE target = $1', [
        account.id,
      ]);
      return await enqueue(tx, [recordOf(event, nowMs)]);
    });
    send(queued);
    this.#count(account.id, 'rotated');
    log.info({ target: account.id, why: event.data.why }, 'our account at a target has another password');
  }
}

const isOurs = (target: TargetSettings): target is PostgresSettings =>
  target.provider === 'postgres' && target.login.passwordFile !== undefined;

/** `by`: who ordered it; null where its time has come. */
interface Due {
  by: string | null;
}

async function dueOf(db: Database, { id, login }: PostgresSettings): Promise<Due | null> {
  const { rows } = await db.pool.query<Due>(
    `SELECT ordered_by AS by FROM target_account
     WHERE target = $1 AND (ordered_by IS NOT NULL OR rotated_at <= now() - $2::float8 * interval '1 ms')`,
    [id, login.rotateEveryMs ?? null],
  );
  return rows[0] ?? null;
}

/** Runs `work` while no other process of the service may; where one is at it, not at all. */
async function underLock(
  db: Database,
  target: string,
  work: (mayGoOn: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const client = await db.pool.connect();
  let lost: Error | undefined;
  const onError = (error: Error) => (lost = error);
  client.on('error', onError);
  const key = `${db.schema} target account ${target}`;
  try {
    const { rows } = await client.query<{ held: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS held',
      [key],
    );
    if (rows[0]?.held !== true) return;
    // Whoever has lost the session has lost the lock.
    await work(async () => void (await client.query('SELECT 1')));
    await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [key]);
  } catch (error) {
    lost ??= error as Error;
    throw error;
  } finally {
    client.off('error', onError);
    client.release(lost);
  }
}
