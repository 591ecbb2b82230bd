import { randomUUID } from 'node:crypto';
import { CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS, TASK_EVENTS } from '#events/topics.js';
import { MerkleError } from '#merkle/errors.js';
import { operatorsErrors } from '#service/exit.js';
import { ProblemFilter } from '#service/problem.js';
import { databaseTakes } from '#service/readiness.js';
import { runService } from '#service/run-service.js';
import { storeUpkeep } from '#service/upkeep.js';
import { readPositions } from '#store/offsets.js';
import { repeat } from '#store/repeat.js';
import { AuditorModule } from './auditor.module.js';
import { gapOf } from './gap.js';
import { problemOf } from './http/problem.js';
import { GATHER_MS, GROUP } from './ingest.js';
import { KeyFileError } from './leaf/keys.js';
import { continueFormer } from './log/continue-former.js';
import { openParts } from './open-parts.js';
import { SetUpError } from './set-up-error.js';
import { Standby } from './standby.js';

const RELEASE_EVERY_MS = 1_000;

const TOPICS = [TASK_EVENTS, CREDENTIAL_EVENTS, DELIVERY, REVOCATIONS];

await runService({
  name: 'auditor',
  isOperators: operatorsErrors([MerkleError, KeyFileError, SetUpError]),
  async open({ config, log, metrics, observe, onDead }) {
    const parts = await openParts(config, log, metrics, onDead, observe);
    const { bus, db, relay, published, former, anchors, logUpkeep, projector } = parts;
    const { catalogue, ingest, streams, ledger } = parts;
    const warn = (fields: object, message: string) => log.warn(fields, message);
    let releasing: { stop: () => Promise<void> } | undefined;
    const upkeep = storeUpkeep({
      ...{ db, group: GROUP, topics: TOPICS, metrics, warn },
      bus: () => bus,
      relay: () => relay,
      // A log is what is never pruned.
      rules: [],
    });
    const standby = new Standby({ db, warn, onLost: onDead });
    const instanceId = randomUUID();
    return {
      module: (telemetry) => AuditorModule.forRoot(parts, telemetry),
      jwks: parts.jwks,
      readiness: [
        () => (standby.isActive || observe ? [] : ['standing by: another auditor is at work']),
        () => published.reasons(),
        ...upkeep.readiness,
        databaseTakes(() => ingest.intake.failingMs()),
      ],
      remarks: () => [...anchors.remarks(), ...logUpkeep.remarks()],
      http: (app) =>
        void app.useGlobalFilters(
          new ProblemFilter((fields, message) => log.error(fields, message), problemOf),
        ),
      begin: () => Promise.resolve(catalogue.begin()),
      async consume() {
        await standby.turn();
        if (former !== undefined) await continueFormer(db, former);
        published.start();
        anchors.start();
        logUpkeep.start();
        projector.start();
        releasing = repeat(
          RELEASE_EVERY_MS,
          () => ingest.releaseParked(),
          (err) => warn({ err }, 'releasing parked records failed'),
        );
        return {
          bus,
          group: GROUP,
          // Only whose turn it is reads: anybody else in the group does no more.
          process: { id: instanceId, isDead: (id) => Promise.resolve(standby.isActive && id !== instanceId) },
          gather: Object.fromEntries(TOPICS.map((topic) => [topic, GATHER_MS.bus])),
          positions: async (assigned) => {
            await ingest.intake.forget();
            return await readPositions(db, GROUP, assigned);
          },
          // Records that the bus deleted before they were read leave an entry, and reading goes on behind them.
          recover: (error) => {
            const gap = gapOf(error);
            return gap === undefined ? undefined : ingest.onGap(gap);
          },
        };
      },
      fields: { origin: config.services.auditor.log.origin },
      drain: [
        { what: 'streams', run: () => streams.stop() },
        { what: 'reads that were counted', run: () => ledger.stop() },
        { what: 'a catalogue being loaded', run: () => catalogue.stop() },
        {
          what: 'entries being appended',
          run: () => Promise.all([ingest.intake.stop(), releasing?.stop()]),
        },
        { what: 'entries being projected', run: () => projector.stop() },
        { what: 'rows being compared', run: () => logUpkeep.stop() },
        { what: 'checkpoints being published', run: () => published.stop() },
        { what: 'a checkpoint being anchored', run: () => anchors.stop(), withinMs: 2_000 },
        { what: 'records in the outbox', run: () => relay.stop(), withinMs: 4_000 },
        { what: 'the turn of this auditor', run: () => standby.stop() },
        upkeep.drain,
      ],
      close: [{ what: 'connections', run: parts.close }],
    };
  },
});
