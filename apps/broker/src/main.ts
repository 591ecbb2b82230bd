import { operatorsErrors } from '#service/exit.js';
import { databaseAnswers, outboxIsSent } from '#service/readiness.js';
import { runService } from '#service/run-service.js';
import { readPositions } from '#store/offsets.js';
import { Broker } from './broker.js';
import { BrokerModule } from './broker.module.js';
import { openParts } from './open-parts.js';
import { GROUP } from './records.js';

await runService({
  name: 'broker',
  isOperators: operatorsErrors([]),
  async open({ config, log, metrics, observe, onDead }) {
    const { parts, bus, signer, close } = await openParts(config, log, metrics, observe);
    const { db, relay } = parts;
    const broker = new Broker(parts, onDead);
    return {
      module: (telemetry) => BrokerModule.forRoot(broker, telemetry),
      jwks: signer.jwks,
      readiness: [outboxIsSent(() => relay.oldestMs(), metrics), databaseAnswers(db)],
      consume: () => ({
        bus,
        group: GROUP,
        positions: async (assigned) => {
          // What an earlier owner of these partitions decided is told before anything newer is decided.
          await broker.forget();
          await relay.drain(0);
          const positions = await readPositions(db, GROUP, assigned);
          await broker.remember();
          return positions;
        },
        begun: () => broker.start(),
      }),
      fields: { policySet: parts.judge.digest },
      drain: [
        { what: 'leases being made and decided', run: () => broker.stop() },
        { what: 'records in the outbox', run: () => relay.stop(), withinMs: 4_000 },
      ],
      close: [{ what: 'connections', run: close }],
    };
  },
});
