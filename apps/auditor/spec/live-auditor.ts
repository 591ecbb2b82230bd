/** The auditor as a whole: it reads a Kafka, signs, publishes, and answers over HTTP. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { BatchServer } from '#bus/batch-server.js';
import type { Bus } from '#bus/bus.js';
import { openKafka } from '#bus/kafka/kafka-bus.js';
import { SERVICES } from '#events/services.js';
import { topicSpecs } from '#events/topics.js';
import { generateNoteKey, parseSigner, parseVerifier } from '#merkle/node/keys.js';
import { ProblemFilter } from '#service/problem.js';
import { readPositions } from '#store/offsets.js';
import { Relay } from '#store/relay.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { NestLog } from '#telemetry/nest-log.js';
import { AuditorModule } from '../src/auditor.module.js';
import { problemOf } from '../src/http/problem.js';
import { GROUP } from '../src/ingest.js';
import { PublishedCheckpoints } from '../src/published-checkpoints.js';
import { Checkpointer } from '../src/signer/checkpointer.js';
import { httpParts } from './auditor-http.js';
import { ingesting } from './ingesting.js';
import { freshLogDatabase, type LogDatabase } from './log-database.js';
import { OPERATOR, World } from './world.js';

const origin = 'audit.example/log';
const noteSigner = parseSigner(generateNoteKey(origin).skey);
export const trusted = { origin, verifiers: [parseVerifier(noteSigner.vkey)] };
const silent = createLog('auditor', { level: 'silent' });
export const STRANGER = 'spiffe://dev.mayfly/operator/stranger';

export interface Answer {
  status: number;
  type: string | null;
  text: string;
}

export class LiveAuditor {
  private constructor(
    readonly world: World,
    readonly log: LogDatabase,
    readonly bus: Bus,
    readonly url: string,
    readonly close: () => Promise<void>,
  ) {}

  static async open(): Promise<LiveAuditor> {
    const [world, log] = await Promise.all([World.open(), freshLogDatabase()]);
    const db = log.runtime;
    const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
    const bus = await openKafka({ brokers, clientId: 'auditor-spec' });
    await bus.ensureTopics(topicSpecs(SERVICES));
    const warn = () => {};
    const relay = new Relay({
      db,
      bus,
      warn,
      sign: (record, store) => world.signers.auditor.sign(record, store),
    });
    await relay.start();
    const send = relay.send.bind(relay);
    const signing = { db: log.signer, signers: [noteSigner], onSigned: () => {} };
    const checkpointer = new Checkpointer({ ...signing, warn, everyMs: 100 });
    const published = new PublishedCheckpoints({
      db,
      origin,
      onAppended: () => {},
      send,
      warn,
      everyMs: 100,
    });
    const { ingest } = ingesting(db, world);
    const operators = new Map([
      [OPERATOR, { id: OPERATOR, roles: ['operator' as const, 'auditor' as const] }],
      [STRANGER, { id: STRANGER, roles: ['operator' as const] }],
    ]);
    const parts = httpParts(db, world, operators, (queued) => void relay.send(queued));
    const server = new BatchServer({
      bus,
      group: `${GROUP}-spec-${log.runtimeRole}`,
      positions: (assigned) => readPositions(db, GROUP, assigned),
      onCrash: (error) => {
        throw error;
      },
    });
    const app = await NestFactory.create<NestExpressApplication>(
      AuditorModule.forRoot(
        { ...parts, ingest },
        {
          service: 'auditor',
          environment: 'development',
          metrics: createMetrics('auditor'),
          readiness: () => (server.isReady() ? [] : ['consumer is not assigned']),
          jwks: world.signers.auditor.jwks,
        },
      ),
      { logger: new NestLog(silent), bodyParser: false },
    );
    app.useGlobalFilters(new ProblemFilter(() => {}, problemOf));
    app.connectMicroservice({ strategy: server });
    await app.listen(0, '127.0.0.1');
    checkpointer.start();
    published.start();
    await app.startAllMicroservices();
    return new LiveAuditor(world, log, bus, await app.getUrl(), async () => {
      await parts.ledger.stop();
      await app.close();
      // What was read last is still being appended, and would find its database gone.
      await ingest.intake.stop();
      await Promise.all([checkpointer.stop(), published.stop()]);
      await relay.stop();
      await bus.close();
      await Promise.all([log.drop(), world.close()]);
    });
  }

  get(path: string, id: string | null = OPERATOR): Promise<Answer> {
    return this.ask(path, id, {});
  }

  async ask(path: string, id: string | null, request: RequestInit): Promise<Answer> {
    const headers: Record<string, string> =
      id === null ? {} : { authorization: `Bearer ${await this.world.svid(id)}` };
    const response = await fetch(`${this.url}${path}`, { headers, ...request });
    return {
      status: response.status,
      type: response.headers.get('content-type'),
      text: await response.text(),
    };
  }
}

export async function eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const untilMs = Date.now() + 30_000; Date.now() < untilMs; await sleep(100)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error('it did not come to pass');
}
