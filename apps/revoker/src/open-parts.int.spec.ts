/** The revoker as it is configured, on each bus: what it tells verifiers it reads back there. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { v7 as uuidv7 } from 'uuid';
import { loadConfig } from '#config/load.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { ensureDevelopmentLogin } from '#identity/development/development-login.js';
import { ensureDevelopmentTrust } from '#identity/development/development-trust.js';
import { ensureServiceKeys } from '#identity/development/service-keys.js';
import type { CredentialProvider, CutReport, Observation, Plan } from '#providers/provider.js';
import { openDatabase, transact, type Database } from '#store/database.js';
import { moveOffsets } from '#store/offsets.js';
import { createLog } from '#telemetry/log.js';
import { Metrics } from '#telemetry/metrics.js';
import { openParts, type OpenParts } from './open-parts.js';
import { GROUP } from './publish.js';
import { Revoker } from './revoker.js';
import { tokenPlan } from './token-plan.contract.js';

const DEVELOPMENT = { MAYFLY_ENV: 'development' };
const TARGET = {
  ...{ MAYFLY_TARGET_HOST: '127.0.0.1', MAYFLY_TARGET_PORT: '1', MAYFLY_TARGET_DATABASE: 'shop' },
  ...{ MAYFLY_TARGET_USER: 'mayfly_revoker', MAYFLY_TARGET_PASSWORD: 'never used' },
};
const url = process.env.DATABASE_URL ?? '';
let stateDir: string;
let admin: Database;
let schema: string;
let opened: OpenParts | undefined;
let revoker: Revoker | undefined;

beforeEach(async () => {
  stateDir = await mkdtemp(join(tmpdir(), 'mayfly-revoker-'));
  await ensureDevelopmentTrust(stateDir, 'dev.mayfly', DEVELOPMENT);
  await ensureDevelopmentLogin(stateDir, DEVELOPMENT);
  await ensureServiceKeys(stateDir, DEVELOPMENT);
  schema = `revoker_${randomBytes(6).toString('hex')}`;
  admin = openDatabase({ url, schema: 'public', application: 'spec', maxConnections: 1 });
  await admin.pool.query(`CREATE SCHEMA ${schema}; CREATE SCHEMA ${schema}_bus`);
  // The catalogue's own variables.
  Object.assign(process.env, TARGET);
});
afterEach(async () => {
  await revoker?.stop();
  await opened?.close();
  opened = revoker = undefined;
  for (const name of Object.keys(TARGET)) Reflect.deleteProperty(process.env, name);
  await admin.pool.query(`DROP SCHEMA ${schema} CASCADE; DROP SCHEMA ${schema}_bus CASCADE`);
  await admin.close();
  await rm(stateDir, { recursive: true, force: true });
});

it.each(['postgres', 'kafka'] as const)(
  'takes a token back by the bus on %s, and sees that it did',
  async (kind) => {
    const variables = { ...DEVELOPMENT, MAYFLY_STATE_DIR: stateDir, MAYFLY_REVOKER_DATABASE_URL: url };
    const bus =
      kind === 'kafka'
        ? { KAFKA_BROKERS: process.env.KAFKA_BROKERS ?? '' }
        : { MAYFLY_BUS_DATABASE_URL: url };
    const config = loadConfig('deploy/sample/mayfly.yaml', { ...variables, ...bus }, 'revoker');
    config.services.revoker.database.schema = schema;
    if (config.bus.postgres !== undefined) config.bus.postgres.schema = `${schema}_bus`;
    opened = await openParts(config, new Metrics('revoker'), createLog('revoker', { level: 'silent' }));
    const { bus: log } = await opened.openBus();
    revoker = new Revoker(opened.parts, () => undefined);
    await revoker.start();
    const provider = opened.parts.providers.get('orders-api');
    if (provider === undefined) throw new Error('the sample has no target for tokens');
    const [plan, other] = [tokenPlan(uuidv7(), 1), tokenPlan(uuidv7(), 2)];
    const untilMs = Date.now() + 30_000;
    while ((await provider.observe(plan)).state !== 'live' && Date.now() < untilMs) {
      // As one that has read what others said on these topics, or verifiers could not rely on its word.
      const ends = await log.ends([TASK_EVENTS, CREDENTIAL_EVENTS]);
      await transact(opened.parts.db, (tx) => moveOffsets(tx, GROUP, ends));
      await sleep(50);
    }

    const report = await cutUntilRead(provider, plan);

    expect(report).toMatchObject({ emptyObservations: 2, observation: { state: 'disabled', sessions: 0 } });
    expect((await provider.clean(plan)).state).toBe('absent');
    expect(await lookedAt(provider, other)).toBe('live');
  },
  180_000,
);

const TRIES_WITHIN_MS = 30_000;

/** As the revoker does: what the bus did not take and give back in time is cut again. */
async function cutUntilRead(provider: CredentialProvider, plan: Plan): Promise<CutReport> {
  for (const endsAtMs = Date.now() + TRIES_WITHIN_MS; ; await sleep(50))
    try {
      const report = await provider.cut(plan);
      if (report.observation.state === 'disabled' || Date.now() > endsAtMs) return report;
    } catch (error) {
      if (Date.now() > endsAtMs) throw error;
    }
}

/** Whoever has not heard the revoker for some seconds does not know, until it is heard again. */
async function lookedAt(provider: CredentialProvider, plan: Plan): Promise<Observation['state']> {
  for (const endsAtMs = Date.now() + TRIES_WITHIN_MS; ; await sleep(50)) {
    const { state } = await provider.observe(plan);
    if (state !== 'unknown' || Date.now() > endsAtMs) return state;
  }
}
