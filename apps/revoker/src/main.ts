import { operatorsErrors } from '#service/exit.js';
import { databaseAnswers, outboxIsSent } from '#service/readiness.js';
import { runService } from '#service/run-service.js';
import { readPositions } from '#store/offsets.js';
import type { Relay } from '#store/relay.js';
import { openParts } from './open-parts.js';
import { GROUP } from './publish.js';
import { Revoker } from './revoker.js';
import { RevokerModule } from './revoker.module.js';

await runService({
  name: 'revoker',
  isOperators: operatorsErrors([]),
  async open({ config, log, metrics, onDead }) {
    const { parts, signer, openBus, close } = await openParts(config, metrics, log);
    const revoker = new Revoker(parts, onDead);
    let relay: Relay | undefined;
    return {
      module: (telemetry) => RevokerModule.forRoot(revoker, telemetry),
      jwks: signer.jwks,
      readiness: [outboxIsSent(() => relay?.oldestMs() ?? 0, metrics), databaseAnswers(parts.db)],
      // It cuts what it knows while it waits for the bus.
      begin: () => revoker.start(),
      async consume() {
        const opened = await openBus();
        relay = opened.relay;
        return {
          bus: opened.bus,
          group: GROUP,
          positions: async (assigned) => {
            // What an earlier owner of these partitions decided is told before anything newer is decided.
            await revoker.forget();
            await opened.relay.drain(0);
            return await readPositions(parts.db, GROUP, assigned);
          },
        };
      },
      fields: { targets: parts.providers.size },
      drain: [
        { what: 'leases being cut and cleaned', run: () => revoker.stop() },
        { what: 'records in the outbox', run: () => relay?.stop(), withinMs: 4_000 },
      ],
      close: [{ what: 'connections', run: close }],
    };
  },
});
