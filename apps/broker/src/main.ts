import { retentionOf } from '#config/retention.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { operatorsErrors } from '#service/exit.js';
import { ProblemFilter } from '#service/problem.js';
import { databaseTakes, notRecovering } from '#service/readiness.js';
import { runService } from '#service/run-service.js';
import { storeUpkeep } from '#service/upkeep.js';
import { isDead } from '#store/alive.js';
import { readPositions } from '#store/offsets.js';
import { UpcastError } from '#store/upcast.js';
import { Broker } from './broker.js';
import { BrokerModule } from './broker.module.js';
import { openHttp } from './http/broker-http.js';
import { privacyOf } from '#service/is-private.js';
import { ToldLives } from './http/oauth/told-lives.js';
import { problemOf } from './http/problems.js';
import { openParts } from './open-parts.js';
import { brokerRules } from './prune-rules.js';
import { GROUP } from './records.js';
import { recover } from './recover.js';

await runService({
  name: 'broker',
  isOperators: operatorsErrors([UpcastError]),
  async open({ config, log, metrics, observe, onDead }) {
    const everything = await openParts(config, log, metrics, observe);
    const { parts, rules, fitness, accounts, bus, signer, close } = everything;
    const { db, relay } = parts;
    const broker = new Broker(parts, onDead);
    const { environment } = config;
    const { behindTls } = config.services.broker.http;
    const onTrouble = (err: Error) => log.warn({ err }, 'what is revoked cannot be read');
    const lives = new ToldLives();
    const http = openHttp({ parts, broker, lives, isPrivate: privacyOf({ environment, behindTls }) });
    const upkeep = storeUpkeep({
      ...{ db, group: GROUP, topics: [TASK_EVENTS, CREDENTIAL_EVENTS], metrics },
      bus: () => bus,
      relay: () => relay,
      rules: brokerRules(retentionOf(config.retention)),
      warn: (fields, message) => log.warn(fields, message),
    });
    return {
      module: (telemetry) => BrokerModule.forRoot(broker, http, telemetry),
      http: (app) =>
        void app.useGlobalFilters(
          new ProblemFilter((fields, message) => log.error(fields, message), problemOf),
        ),
      jwks: () => ({ keys: [...signer.jwks.keys, ...(parts.tokens?.keys.jwks ?? [])] }),
      readiness: [...upkeep.readiness, databaseTakes(() => broker.failingMs()), notRecovering(db)],
      remarks: () => fitness.remarks(),
      begin: () => Promise.resolve(fitness.begin()),
      async consume() {
        await recover(parts, bus);
        return {
          bus,
          group: GROUP,
          process: { id: parts.instanceId, isDead: (id) => isDead(db.pool, id) },
          // Most of it is our own; what the revoker asks is as true a moment later.
          gather: { [CREDENTIAL_EVENTS]: 50 },
          positions: async (assigned) => {
            // What an earlier owner of these partitions decided is told before anything newer is decided.
            await broker.forget(new Set(assigned.map(({ topic }) => topic)));
            await relay.drain(0);
            const positions = await readPositions(db, GROUP, assigned);
            await broker.remember();
            return positions;
          },
          begun: () => {
            broker.start();
            rules.begin();
            accounts.begin();
            lives.begin({ log: bus, peers: parts.peers, group: 'mayfly-broker', onTrouble });
            upkeep.begin();
          },
        };
      },
      fields: { policySet: parts.judge.digest, catalogue: parts.catalogue.digest },
      drain: [
        { what: 'policies and catalogue being loaded', run: () => rules.stop() },
        { what: 'leases being made and decided', run: () => broker.stop() },
        { what: 'records in the outbox', run: () => relay.stop(), withinMs: 4_000 },
        { what: 'passwords being changed at targets', run: () => accounts.stop(), withinMs: 2_000 },
        { what: 'looks at the targets', run: () => fitness.stop() },
        upkeep.drain,
      ],
      close: [
        { what: 'what is revoked', run: () => lives.close() },
        { what: 'connections', run: close },
      ],
    };
  },
});
