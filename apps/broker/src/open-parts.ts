/** Opens everything the broker works with, in the order in which a mistake is cheapest to tell. */
import { randomUUID } from 'node:crypto';
import type { Bus } from '#bus/bus.js';
import { openBus } from '#bus/open-bus.js';
import type { MayflyConfig } from '#config/load.js';
import { rightsAt } from '#events/catalogue.js';
import { SERVICES } from '#events/services.js';
import { topicSpecs } from '#events/topics.js';
import { loadPeerKeys, RecordSigner } from '#identity/records.js';
import { loadTrust } from '#identity/trust.js';
import { folderStates } from '#policy/folder-watch.js';
import { loadCatalogue } from '#policy/load-catalogue.js';
import { PolicySet } from '#policy/policy-set.js';
import { openProviders } from '#providers/open-providers.js';
import { catalogueMeasures } from '#service/catalogue-measures.js';
import { TargetAccounts } from '#service/target-accounts.js';
import { TargetFitness } from '#service/target-fitness.js';
import { Alive } from '#store/alive.js';
import { openDatabase } from '#store/database.js';
import { claimEventVersions } from '#store/event-versions.js';
import { assertNotRestored, originBy } from '#store/epoch.js';
import { migrate } from '#store/migrate.js';
import { Relay } from '#store/relay.js';
import type { Log } from '#telemetry/log.js';
import type { Metrics } from '#telemetry/metrics.js';
import { boardOver, renewalBoardOver } from './answer-board.js';
import type { BrokerParts } from './broker-parts.js';
import { breakersTold, CreateBreakers } from './create-breakers.js';
import { createMeasures } from './measures.js';
import { brokerMigrations } from './migrations.js';
import { createNotificationMeasures } from './notifications/measures.js';
import { nameReceivers, openReceivers } from './notifications/receivers.js';
import { confirmingBy } from './policy/confirming.js';
import { policyMeasures } from './policy/policy-measures.js';
import { credentialRecord } from './records.js';
import { RulesReload } from './policy/reload-rules.js';
import { openTokens } from './tokens/open-tokens.js';
import { brokerUpcasts } from './upcasts.js';

export interface OpenParts {
  parts: BrokerParts;
  rules: RulesReload;
  fitness: TargetFitness;
  accounts: TargetAccounts;
  bus: Bus;
  signer: RecordSigner;
  close: () => Promise<void>;
}

/** @throws ConfigError, PolicyError, IdentityError, StoreRestoredError, UpcastError for what an operator has to mend; what the servers said otherwise. */
export async function openParts(
  config: MayflyConfig<'broker'>,
  log: Log,
  metrics: Metrics,
  observe = false,
): Promise<OpenParts> {
  const settings = config.services.broker;
  const trust = await loadTrust(config.trust.issuers, config.environment);
  const peers = await loadPeerKeys(config.trust.services);
  const signer = await RecordSigner.fromFile(settings.signingKey, 'broker');
  const folders = { policy: config.policy, catalogue: config.catalogue };
  const seen = await folderStates(folders);
  const { catalogue, targets } = await loadCatalogue(config.catalogue, process.env);
  const policyWatch = policyMeasures(metrics);
  const confirming = confirmingBy(settings.decisions, log, policyWatch);
  const judge = await PolicySet.load(config.policy, catalogue, confirming);
  const receivers = await openReceivers(settings.notifications);

  const warn = (fields: object, message: string) => log.warn(fields, message);
  const db = openDatabase(
    { ...settings.database, application: 'mayfly-broker', maxConnections: 12, keepsPlans: true },
    (err) => warn({ err }, 'an idle database connection was lost'),
  );
  await migrate(db, brokerMigrations);
  const bus = await openBus(config.bus, 'mayfly-broker', log);
  const relay = new Relay({ db, bus, warn, sign: (record, store) => signer.sign(record, store) });
  if (!observe) {
    await claimEventVersions(db, brokerUpcasts);
    await bus.ensureTopics(topicSpecs(SERVICES));
    await assertNotRestored({ db, bus, service: 'broker', originOf: originBy(peers, 'broker') });
    await nameReceivers(db, receivers);
    await relay.start();
  }
  const tokens = observe ? null : await openTokens(config, db, (queued) => void relay.send(queued), log);
  const providers = await openProviders(targets, log, {
    maxClockSkewMs: config.trust.maxClockSkewMs,
    ...(tokens === null ? {} : { signer: tokens.keys }),
  });
  const measures = createMeasures(metrics);
  const board = boardOver(db, warn);
  const renewals = renewalBoardOver(db, warn);
  const instanceId = randomUUID();
  const alive = await Alive.as(instanceId, db, warn);

  const fitness: TargetFitness = new TargetFitness({
    ...{ targets, user: 'broker', log, metrics },
    rightsOf: (target) => rightsAt(parts.catalogue, target),
  });
  const parts: BrokerParts = {
    ...{
      db,
      relay,
      trust,
      peers,
      catalogue,
      judge,
      providers,
      breakers: new CreateBreakers(breakersTold(measures, log)),
      fitness,
      tokens,
      board,
      renewals,
      instanceId,
      log,
      measures,
    },
    approvals: settings.approvals,
    drift: settings.drift,
    maxDepth: settings.maxDelegationDepth,
    notifying: {
      ...{ receivers, measures: createNotificationMeasures(metrics) },
      broker: settings.issuer ?? `http://${settings.http.host}:${settings.http.port}`,
    },
  };
  const rules = new RulesReload(parts, {
    ...{ folders, env: process.env, loaded: judge, seen, opened: targets },
    ...(confirming === undefined ? {} : { confirming }),
    measures: { policy: policyWatch, catalogue: catalogueMeasures(metrics) },
  });

  return {
    parts,
    rules,
    fitness,
    accounts: new TargetAccounts({
      ...{ service: 'broker', db, targets, recordOf: credentialRecord, log, metrics },
      send: (queued) => void relay.send(queued),
    }),
    bus,
    signer,
    close: async () => {
      await relay.stop();
      await Promise.all([...providers.values()].map((provider) => provider.close()));
      await bus.close();
      alive.stop();
      await db.close();
    },
  };
}
