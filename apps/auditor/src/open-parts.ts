/** Opens everything the auditor works with, in the order in which a mistake is cheapest to tell. */
import type { Bus } from '#bus/bus.js';
import { openBus } from '#bus/open-bus.js';
import type { MayflyConfig } from '#config/load.js';
import { SERVICES } from '#events/services.js';
import { topicSpecs } from '#events/topics.js';
import { loadPeerKeys, RecordSigner } from '#identity/records.js';
import { loadTrust } from '#identity/trust.js';
import { folderState } from '#policy/folder-state.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { catalogueMeasures } from '#service/catalogue-measures.js';
import { CatalogueReload } from '#service/catalogue-reload.js';
import { privacyOf } from '#service/is-private.js';
import { openDatabase, type Database } from '#store/database.js';
import { assertNotRestored, originBy } from '#store/epoch.js';
import type { QueuedRecord } from '#store/outbox.js';
import { Relay } from '#store/relay.js';
import type { Log } from '#telemetry/log.js';
import type { Metrics } from '#telemetry/metrics.js';
import type { Anchors } from './anchor/anchors.js';
import { openAnchors } from './anchor/open-anchors.js';
import { AuditLog } from './audit-log.js';
import type { AuditorParts } from './auditor.module.js';
import { ReadLedger } from './http/read-ledger.js';
import { Readers } from './http/readers.js';
import { Streams } from './http/streams.js';
import { Ingest } from './ingest.js';
import { Pseudonyms } from './leaf/keys.js';
import type { FormerLog } from './leaf/own-entry.js';
import { readFormer } from './log/continue-former.js';
import { LogUpkeep } from './log/log-upkeep.js';
import { migrateAsOwner } from './log/migrate-as-owner.js';
import { Projector } from './projection/projector.js';
import { PublishedCheckpoints } from './published-checkpoints.js';
import { Cursors } from './query/cursor.js';
import { watchMetrics } from './watch-metrics.js';

export interface OpenParts extends AuditorParts {
  db: Database;
  bus: Bus;
  relay: Relay;
  published: PublishedCheckpoints;
  /** In whose place this log is; undefined of one that is its own beginning. */
  former: FormerLog | undefined;
  anchors: Anchors;
  logUpkeep: LogUpkeep;
  projector: Projector;
  catalogue: CatalogueReload;
  ledger: ReadLedger;
  jwks: object;
  close: () => Promise<void>;
}

/** @throws ConfigError, IdentityError, KeyFileError, SetUpError for what an operator wrote; what the servers said otherwise. */
export async function openParts(
  config: MayflyConfig<'auditor'>,
  log: Log,
  metrics: Metrics,
  onDead: (cause: Error) => void,
  observe = false,
): Promise<OpenParts> {
  const settings = config.services.auditor;
  const trust = await loadTrust(config.trust.issuers, config.environment);
  const peers = await loadPeerKeys(config.trust.services);
  const signer = await RecordSigner.fromFile(settings.signingKey, 'auditor');
  const pseudonyms = await Pseudonyms.fromFile(settings.log.pseudonymKey);
  const cursors = await Cursors.fromFile(settings.log.pseudonymKey);
  const { continues } = settings.log;
  const former = continues === undefined ? undefined : await readFormer(continues, settings.log.origin);
  const seen = await folderState(config.catalogue);
  const described = { targets: 'describe' } as const;
  const { catalogue: loaded } = await loadCatalogue(config.catalogue, process.env, described);
  let { operators } = loaded;
  // Who was an operator stays a person: records of that time may be read later.
  const persons = new Set(operators.keys());

  const warn = (fields: object, message: string) => log.warn(fields, message);
  await migrateAsOwner(settings.database);
  const db = openDatabase({ ...settings.database, application: 'mayfly-auditor' }, (err) =>
    warn({ err }, 'an idle database connection was lost'),
  );
  const bus = await openBus(config.bus, 'mayfly-auditor', log);
  const relay = new Relay({ db, bus, warn, sign: (record, store) => signer.sign(record, store) });
  if (!observe) {
    await bus.ensureTopics(topicSpecs(SERVICES));
    await assertNotRestored({ db, bus, service: 'auditor', originOf: originBy(peers, 'auditor') });
    await relay.start();
  }
  // While it only observes, what is said of its readers stays in the outbox.
  const send = (queued: QueuedRecord[]): Promise<void> => (observe ? Promise.resolve() : relay.send(queued));

  const anchors = openAnchors({ db, settings: settings.log.anchors, metrics, log });
  const counted = watchMetrics(metrics, db);
  const { origin } = settings.log;
  const published = new PublishedCheckpoints({ db, origin, onAppended: counted, send, warn });
  const keys = { pseudonyms, isPerson: (id: string) => persons.has(id) };
  const ingest = new Ingest({
    db,
    authorities: { trust, peers },
    keys,
    onAppended: counted,
    send: (queued) =>
      void send(queued).catch((err: Error) => warn({ err }, 'a parked record is not told of yet')),
    warn,
    onDead,
  });
  const ledger = new ReadLedger({
    db,
    send: (queued) => void send(queued).catch((err: Error) => warn({ err }, 'a read is not published yet')),
    warn,
  });
  const { environment } = config;
  const isPrivate = privacyOf({ environment, behindTls: settings.http.behindTls });
  const readers = new Readers({ trust, operators: () => operators, isPrivate, ledger });
  const auditLog = new AuditLog(db, keys, cursors);

  const catalogue = new CatalogueReload({
    ...{ dir: config.catalogue, env: process.env, options: described, loaded, seen, log },
    take: (next) => {
      ({ operators } = next);
      for (const id of operators.keys()) persons.add(id);
    },
    measures: catalogueMeasures(metrics),
  });

  const refresh = setInterval(() => {
    void trust.refresh(Date.now()).then((failures) => {
      for (const err of failures) warn({ err }, 'a trust bundle was not read again');
    });
  }, trust.refreshEveryMs).unref();

  return {
    ...{ db, bus, relay, published, former, anchors, catalogue, ingest, readers, ledger },
    logUpkeep: new LogUpkeep({ db, metrics, warn }),
    projector: new Projector({ db, restMs: (tookMs) => ingest.courtesy.restMs(tookMs), warn }),
    log: auditLog,
    streams: new Streams(auditLog),
    jwks: signer.jwks,
    close: async () => {
      clearInterval(refresh);
      await published.stop();
      await relay.stop();
      await bus.close();
      await db.close();
    },
  };
}
