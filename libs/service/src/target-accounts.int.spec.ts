import type { EventOf } from '#events/outbound.js';
import type { RotationMeans } from '#providers/postgres/rotate-login.js';
import type { PostgresSettings } from '#providers/postgres/settings.js';
import { targetSettings, type TargetSettings } from '#providers/target-settings.js';
import type { QueuedRecord } from '#store/outbox.js';
import { storeMigrations } from '#store/store-migrations.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { freshSchema, type FreshSchema } from '../../store/test/fresh-schema.js';
import { TargetAccounts, targetAccountMigration } from './target-accounts.js';

const at = (id: string, login: object): TargetSettings =>
  targetSettings.parse({
    ...{ id, provider: 'postgres', maxTtlMs: 900_000, namespace: 'tac' },
    connection: { host: '127.0.0.1', port: 1, database: 'shop', tls: { mode: 'disable' } },
    login: { user: 'mayfly_broker', ...login },
  });
const IN_A_FILE = { passwordFile: '/nowhere/password' };
const HOUR_MS = 3_600_000;

let schema: FreshSchema;
beforeEach(async () => {
  schema = await freshSchema('accounts', [...storeMigrations, targetAccountMigration('broker')]);
});
afterEach(() => schema.drop());

/** One process of a service, at targets in memory. */
class Process {
  readonly rotated: string[] = [];
  readonly told: EventOf<'target_account.rotated'>['data'][] = [];
  readonly sent: QueuedRecord[] = [];
  readonly logged: string[] = [];
  readonly metrics = new Metrics('broker');
  readonly accounts: TargetAccounts;
  /** What a rotation waits for. */
  gate: (means: RotationMeans) => Promise<void> = () => Promise.resolve();

  constructor(...targets: TargetSettings[]) {
    this.accounts = new TargetAccounts({
      ...{ service: 'broker', db: schema.open(), targets },
      recordOf: (event, atMs) => {
        this.told.push(event.data);
        return {
          ...{ topic: 'mayfly.credential.events.v1', key: 'target-account', value: Buffer.from('{}') },
          head: {
            ...{ id: `id ${atMs}`, source: '//mayfly/broker', type: event.type, subject: 'target-account' },
            ...{ time: new Date(atMs).toISOString(), contentType: 'application/json' },
          },
        };
      },
      send: (queued) => void this.sent.push(...queued),
      metrics: this.metrics,
      log: createLog('broker', { write: (line) => this.logged.push(line) }),
      rotate: async ({ id }: PostgresSettings, means) => {
        await this.gate(means);
        this.rotated.push(id);
      },
    });
  }
}
const sql = (text: string) => schema.db.pool.query(text);
const orderAt = (target: string) =>
  sql(`UPDATE target_account SET ordered_by = 'ada' WHERE target = '${target}'`);
const aged = (target: string, hours: number) =>
  sql(`UPDATE target_account SET rotated_at = now() - interval '${hours} hours' WHERE target = '${target}'`);

it('an order is carried out once, by one process, and told with who gave it', async () => {
  const [one, other] = [new Process(at('shop', IN_A_FILE)), new Process(at('shop', IN_A_FILE))];
  await one.accounts.turn();
  expect(one.rotated).toEqual([]);
  await orderAt('shop');
  await Promise.all([one.accounts.turn(), other.accounts.turn()]);
  await Promise.all([one.accounts.turn(), other.accounts.turn()]);

  expect([...one.rotated, ...other.rotated]).toEqual(['shop']);
  expect([...one.told, ...other.told]).toMatchObject([
    { service: 'broker', target: 'shop', account: 'mayfly_broker', why: 'order', by: 'ada' },
  ]);
  expect([...one.sent, ...other.sent]).toHaveLength(1);
});

it('a schedule is kept, from the last time on', async () => {
  const service = new Process(at('shop', { ...IN_A_FILE, rotateEveryMs: HOUR_MS }));
  await service.accounts.turn();
  await aged('shop', 0.9);
  await service.accounts.turn();
  expect(service.rotated).toEqual([]);

  await aged('shop', 1.1);
  await service.accounts.turn();
  await service.accounts.turn();
  expect(service.rotated).toEqual(['shop']);
  expect(service.told).toMatchObject([{ why: 'schedule' }]);
  expect(service.told[0]).not.toHaveProperty('by');
});

it('nothing is done without a word where there is no schedule, nor where the password is in no file', async () => {
  const service = new Process(at('shop', IN_A_FILE), at('till', { password: 'in the environment' }));
  await service.accounts.turn();
  await aged('shop', 100_000);
  await service.accounts.turn();

  expect(service.rotated).toEqual([]);
  expect((await sql('SELECT target FROM target_account')).rows).toEqual([{ target: 'shop' }]);
});

it('while one process is at it, however long it stands still, no other begins', async () => {
  const [slow, quick] = [new Process(at('shop', IN_A_FILE)), new Process(at('shop', IN_A_FILE))];
  await slow.accounts.turn();
  await orderAt('shop');
  let go = (): void => undefined;
  let began = (): void => undefined;
  const begun = new Promise<void>((resolve) => (began = resolve));
  slow.gate = async ({ mayGoOn }) => {
    began();
    await new Promise<void>((resolve) => (go = resolve));
    await mayGoOn();
  };
  const turn = slow.accounts.turn();
  await begun;
  await quick.accounts.turn();
  expect(quick.rotated).toEqual([]);

  go();
  await turn;
  expect(slow.rotated).toEqual(['shop']);
});

it('a process whose session was taken from it goes no further, and another takes it up', async () => {
  const [cut, next] = [new Process(at('shop', IN_A_FILE)), new Process(at('shop', IN_A_FILE))];
  await cut.accounts.turn();
  await orderAt('shop');
  cut.gate = async ({ mayGoOn }) => {
    await schema.db.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = $1 AND query LIKE '%pg_try_advisory_lock%' AND pid <> pg_backend_pid()`,
      [schema.db.schema],
    );
    await mayGoOn();
  };
  await cut.accounts.turn();
  expect(cut.rotated).toEqual([]);
  expect(cut.logged.join('')).toContain('could not be given another password');

  await next.accounts.turn();
  expect(next.rotated).toEqual(['shop']);
});

it('one target that fails keeps no other from it, and is not tried again at once', async () => {
  const service = new Process(at('away', IN_A_FILE), at('shop', IN_A_FILE));
  await service.accounts.turn();
  await orderAt('away');
  await orderAt('shop');
  let tries = 0;
  service.gate = () => {
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('away')) : Promise.resolve();
  };
  await service.accounts.turn();
  await service.accounts.turn();

  expect(service.rotated).toEqual(['shop']);
  expect(tries).toBe(2);
  const shown = await service.metrics.text();
  expect(shown).toContain('rotations_total{target="away",outcome="failed",service="broker"} 1');
  expect(shown).toContain('rotations_total{target="shop",outcome="rotated",service="broker"} 1');
  expect((await sql('SELECT target FROM target_account WHERE ordered_by IS NOT NULL')).rows).toEqual([
    { target: 'away' },
  ]);
});
