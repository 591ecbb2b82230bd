import type { Bus } from '#bus/bus.js';
import { retentionOf } from '#config/retention.js';
import { CREDENTIAL_EVENTS, TASK_EVENTS } from '#events/topics.js';
import { operatorsErrors } from '#service/exit.js';
import { privacyOf } from '#service/is-private.js';
import { ProblemFilter } from '#service/problem.js';
import { databaseTakes, notRecovering } from '#service/readiness.js';
import { runService } from '#service/run-service.js';
import { storeUpkeep } from '#service/upkeep.js';
import { isDead } from '#store/alive.js';
import { readPositions } from '#store/offsets.js';
import type { Relay } from '#store/relay.js';
import { forecast, isAtWork, tellForecast } from './forecast.js';
import { problemOf } from './http/problem.js';
import { openParts } from './open-parts.js';
import { OrderRequests } from './orders/order-requests.js';
import { revokerRules } from './prune-rules.js';
import { GROUP } from './publish.js';
import type { Sweeper } from './recover.js';
import { Revoker } from './revoker.js';
import { RevokerModule } from './revoker.module.js';
import { StandingAccessDesk } from './survey/standing-access-desk.js';
import type { TargetWatch } from './survey/target-watch.js';

await runService({
  name: 'revoker',
  isOperators: operatorsErrors([]),
  async open({ config, log, metrics, observe, onDead }) {
    const opened = await openParts(config, metrics, log, observe);
    const { parts, catalogue, allowed, events, fitness, accounts, signer, openBus, reachBus, close } = opened;
    const revoker = new Revoker(parts, onDead);
    const { environment } = config;
    const { behindTls } = config.services.revoker.http;
    const isPrivate = privacyOf({ environment, behindTls });
    const { sweep, standingAccess } = config.services.revoker;
    const standing = new StandingAccessDesk({ parts, allowed: () => allowed.now(), isPrivate });
    const orders = new OrderRequests({ parts, desk: revoker.orders, isPrivate });
    let bus: Bus | undefined;
    let relay: Relay | undefined;
    let sweeper: Sweeper | undefined;
    let watch: TargetWatch | undefined;
    const upkeep = storeUpkeep({
      ...{ db: parts.db, group: GROUP, topics: [TASK_EVENTS, CREDENTIAL_EVENTS], metrics },
      bus: () => bus,
      relay: () => relay,
      rules: revokerRules(retentionOf(config.retention)),
      warn: (fields, message) => log.warn(fields, message),
    });
    return {
      module: (telemetry) =>
        RevokerModule.forRoot({ revoker, lists: parts.lists, events, standing, orders }, telemetry),
      jwks: signer.jwks,
      readiness: [...upkeep.readiness, databaseTakes(() => revoker.failingMs()), notRecovering(parts.db)],
      remarks: () => fitness.remarks(),
      http: (app) =>
        void app.useGlobalFilters(
          new ProblemFilter((fields, message) => log.error(fields, message), problemOf),
        ),
      // It cuts what it knows while it waits for the bus.
      async begin() {
        await revoker.start();
        catalogue.begin();
        allowed.begin();
        events.start();
        fitness.begin();
      },
      async observe() {
        try {
          if (await isAtWork(parts.db)) log.warn('a revoker is at work: nothing is foreseen beside it');
          else tellForecast(await forecast(await reachBus(), parts), log);
        } catch (error) {
          log.error({ err: error }, 'what would be revoked cannot be foreseen');
        }
      },
      async consume() {
        const reached = await openBus();
        ({ bus, relay } = reached);
        sweeper = revoker.sweeper(reached.bus);
        watch = revoker.targetWatch(reached.bus, {
          settings: {
            ...{ sweepEveryMs: sweep.everyMs, orphanGraceMs: sweep.orphanGraceMs },
            surveyEveryMs: standingAccess.everyMs,
          },
          allowed: () => allowed.now(),
        });
        revoker.orders.reach(reached.bus);
        return {
          bus: reached.bus,
          group: GROUP,
          process: { id: parts.instanceId, isDead: (id) => isDead(parts.db.pool, id) },
          // What only becomes known waits for an end, not for a reader.
          gather: { [CREDENTIAL_EVENTS]: 20 },
          positions: async (assigned) => {
            // What an earlier owner of these partitions decided is told before anything newer is decided.
            await revoker.forget(new Set(assigned.map(({ topic }) => topic)));
            await reached.relay.drain(0);
            return await readPositions(parts.db, GROUP, assigned);
          },
          begun: () => {
            upkeep.begin();
            sweeper?.start();
            watch?.start();
            accounts.begin();
          },
        };
      },
      fields: { targets: parts.providers.size },
      drain: [
        { what: 'a catalogue being loaded', run: () => catalogue.stop() },
        { what: 'a list being loaded', run: () => allowed.stop() },
        { what: 'a sweep', run: () => sweeper?.stop(), withinMs: 2_000 },
        { what: 'a target being looked at', run: () => watch?.stop() },
        { what: 'leases being cut and cleaned', run: () => revoker.stop() },
        { what: 'security events being sent', run: () => events.stop(), withinMs: 2_000 },
        { what: 'records in the outbox', run: () => relay?.stop(), withinMs: 4_000 },
        { what: 'passwords being changed at targets', run: () => accounts.stop(), withinMs: 2_000 },
        { what: 'looks at the targets', run: () => fitness.stop() },
        upkeep.drain,
      ],
      close: [{ what: 'connections', run: close }],
    };
  },
});
