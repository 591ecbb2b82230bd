/** Opens everything the revoker works with. The bus comes last and alone: cutting does not wait for it. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { BusError, type Bus } from '#bus/bus.js';
import { openBus as connect } from '#bus/open-bus.js';
import type { MayflyConfig } from '#config/load.js';
import { rightsAt } from '#events/catalogue.js';
import { SERVICES } from '#events/services.js';
import { REVOCATION_TYPE } from '#events/revocations.js';
import { REVOCATIONS, topicSpecs } from '#events/topics.js';
import { loadPeerKeys, RecordSigner } from '#identity/records.js';
import { readSigningKey } from '#identity/signing-key.js';
import { loadTrust, type Trust } from '#identity/trust.js';
import { folderState } from '#policy/folder-state.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { openProviders } from '#providers/open-providers.js';
import { catalogueMeasures } from '#service/catalogue-measures.js';
import { CatalogueReload } from '#service/catalogue-reload.js';
import { TargetAccounts } from '#service/target-accounts.js';
import { TargetFitness } from '#service/target-fitness.js';
import { Alive } from '#store/alive.js';
import { openDatabase } from '#store/database.js';
import { assertNotRestored, originBy } from '#store/epoch.js';
import { migrate } from '#store/migrate.js';
import type { QueuedRecord } from '#store/outbox.js';
import { Relay } from '#store/relay.js';
import type { Log } from '#telemetry/log.js';
import type { Metrics } from '#telemetry/metrics.js';
import { BusOutlet } from './bus-outlet.js';
import { createEventMeasures } from './caep/measures.js';
import { SecurityEvents } from './caep/security-events.js';
import { AT_WORK, OBSERVER } from './forecast.js';
import { createMeasures, measureLeases } from './measures.js';
import { revokerMigrations } from './migrations.js';
import { credentialRecord } from './publish.js';
import { beginRecovery } from './recover.js';
import type { RevokerParts } from './revoker-parts.js';
import { StatusLists } from './status/status-lists.js';
import { AllowedList } from './survey/allowed-list.js';
import { measureSurveys } from './survey/measures.js';

const KNOCK_AGAIN_MS = 1_000;
const REFRESH_AT_LEAST_EVERY_MS = 3_600_000;

export interface OpenParts {
  parts: RevokerParts;
  catalogue: CatalogueReload;
  allowed: AllowedList;
  events: SecurityEvents;
  fitness: TargetFitness;
  accounts: TargetAccounts;
  signer: RecordSigner;
  /** Tries for as long as it takes, then sends what waits. @throws BusError ERR_TOPIC_MISCONFIGURED; StoreRestoredError */
  openBus: () => Promise<{ bus: Bus; relay: Relay }>;
  /** Only to read from it: nothing is sent, and nothing is asked of how old the database is. */
  reachBus: () => Promise<Bus>;
  close: () => Promise<void>;
}

/** @throws ConfigError, IdentityError for what an operator wrote; what the database said otherwise. */
export async function openParts(
  config: MayflyConfig<'revoker'>,
  metrics: Metrics,
  log: Log,
  observe = false,
): Promise<OpenParts> {
  const settings = config.services.revoker;
  const trust = await loadTrust(config.trust.issuers, config.environment);
  const peers = await loadPeerKeys(config.trust.services);
  const signer = await RecordSigner.fromFile(settings.signingKey, 'revoker');
  const seen = await folderState(config.catalogue);
  const { catalogue, targets } = await loadCatalogue(config.catalogue, process.env);

  const allowed = await AllowedList.load({
    ...{ dir: config.catalogue, log },
    targets: () => new Set(catalogue.targets.keys()),
  });

  const warn = (fields: object, message: string) => log.warn(fields, message);
  const db = openDatabase(
    { ...settings.database, application: observe ? OBSERVER : AT_WORK, maxConnections: 16, keepsPlans: true },
    (err) => warn({ err }, 'an idle database connection was lost'),
  );
  await migrate(db, revokerMigrations);
  measureLeases(metrics, db);
  measureSurveys(metrics, db);
  const { kid, key } = await readSigningKey(settings.signingKey);
  const publicUrl = settings.publicUrl ?? `http://${settings.http.host}:${settings.http.port}`;
  const lists = new StatusLists({
    ...{ db, key: { kid, key }, lists: `${publicUrl}/status` },
    ...settings.statusList,
  });
  const events = new SecurityEvents({
    ...{ db, trust, key: { kid, key }, issuer: publicUrl, log },
    ...(settings.caep ?? { tokenIssuer: '', receivers: [] }),
    measures: createEventMeasures(metrics),
  });
  const outlet = new BusOutlet({ db, log, publish: (records) => send(records) });
  const providers = await openProviders(targets, log, {
    outlet,
    maxClockSkewMs: config.trust.maxClockSkewMs,
  });
  const everyMs = Math.min(Math.max(trust.refreshEveryMs, 1_000), REFRESH_AT_LEAST_EVERY_MS);
  const refreshing = setInterval(() => void refresh(trust, log), everyMs).unref();
  const alive = await Alive.as(randomUUID(), db, warn);

  let bus: Bus | undefined;
  let relay: Relay | undefined;
  let closed = false;
  const send = async (records: readonly QueuedRecord[]): Promise<void> => {
    if (records.some(({ topic, head }) => topic === REVOCATIONS && head.type === REVOCATION_TYPE))
      events.wake();
    if (relay === undefined) throw new Error('the bus is not reached yet');
    await relay.send(records);
  };
  const reachBus = async () =>
    (bus = await knock(
      () => connect(config.bus, 'mayfly-revoker', log),
      log,
      () => closed,
    ));
  const openBus = async () => {
    const opened = await reachBus();
    await opened.ensureTopics(topicSpecs(SERVICES));
    await assertNotRestored({
      db,
      bus: opened,
      service: 'revoker',
      originOf: originBy(peers, 'revoker'),
    });
    await beginRecovery(db, opened, peers, log);
    const sender = new Relay({
      ...{ db, bus: opened, warn, sign: (record, store) => signer.sign(record, store) },
      first: new Set([REVOCATIONS]),
    });
    await sender.start();
    relay = sender;
    if (targets.some(({ provider }) => provider === 'jwt')) outlet.follow(opened, peers);
    // What was committed while the relay was starting.
    await sender.drain(0);
    return { bus: opened, relay: sender };
  };

  const parts: RevokerParts = {
    db,
    // Where there is no relay yet, it finds them in the outbox.
    send: (records) => void send(records).catch(() => undefined),
    trust,
    peers,
    catalogue,
    providers,
    lists,
    maxClockSkewMs: config.trust.maxClockSkewMs,
    instanceId: alive.instanceId,
    measures: createMeasures(metrics),
    log,
  };
  return {
    parts,
    catalogue: new CatalogueReload({
      ...{ dir: config.catalogue, env: process.env, options: { opened: targets }, loaded: catalogue, seen },
      take: (next) => void (parts.catalogue = next),
      ...{ log, measures: catalogueMeasures(metrics) },
    }),
    allowed,
    events,
    fitness: new TargetFitness({
      ...{ targets, user: 'revoker', log, metrics },
      rightsOf: (target) => rightsAt(parts.catalogue, target),
    }),
    accounts: new TargetAccounts({
      ...{ service: 'revoker', db, targets, recordOf: credentialRecord, log, metrics },
      send: parts.send,
    }),
    signer,
    openBus,
    reachBus,
    close: async () => {
      closed = true;
      clearInterval(refreshing);
      await outlet.close();
      await relay?.stop();
      await Promise.all([...providers.values()].map((provider) => provider.close()));
      await bus?.close();
      alive.stop();
      await db.close();
    },
  };
}

/** Bundles are read again, because their keys rotate. */
async function refresh(trust: Trust, log: Log): Promise<void> {
  for (const failure of await trust.refresh(Date.now()))
    log.warn({ err: failure }, 'a trust bundle could not be read again');
}

async function knock(open: () => Promise<Bus>, log: Log, givenUp: () => boolean): Promise<Bus> {
  for (;;) {
    try {
      return await open();
    } catch (error) {
      const away = error instanceof BusError && error.code === 'ERR_BUS_UNREACHABLE';
      if (!away || givenUp()) throw error;
      log.warn({ err: error }, 'the bus cannot be reached, trying again');
      await sleep(KNOCK_AGAIN_MS, undefined, { ref: false });
    }
  }
}
