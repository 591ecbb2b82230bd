/** The auditor's HTTP interface alone, on a port of its own: it reads no topic, and what is said of its readers stays in the outbox. */
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Catalogue } from '#events/catalogue.js';
import { ProblemFilter } from '#service/problem.js';
import type { Database } from '#store/database.js';
import type { QueuedRecord } from '#store/outbox.js';
import { createMetrics } from '#telemetry/metrics.js';
import { AuditLog } from '../src/audit-log.js';
import { AuditorModule } from '../src/auditor.module.js';
import { problemOf } from '../src/http/problem.js';
import { ReadLedger } from '../src/http/read-ledger.js';
import { Readers } from '../src/http/readers.js';
import { Streams } from '../src/http/streams.js';
import { Cursors } from '../src/query/cursor.js';
import { ingesting } from './ingesting.js';
import { OPERATOR, type World } from './world.js';

export interface AuditorHttp {
  url: string;
  close: () => Promise<void>;
}

/** @param operators who may read: the operator of the world, unless told */
export async function openAuditorHttp(
  db: Database,
  world: World,
  operators: Catalogue['operators'] = new Map([[OPERATOR, { id: OPERATOR, roles: ['auditor' as const] }]]),
): Promise<AuditorHttp> {
  const parts = httpParts(db, world, operators);
  const { ingest } = ingesting(db, world);
  const app = await NestFactory.create<NestExpressApplication>(
    AuditorModule.forRoot(
      { ...parts, ingest },
      {
        service: 'auditor',
        environment: 'development',
        metrics: createMetrics('auditor'),
        readiness: () => [],
        jwks: world.signers.auditor.jwks,
      },
    ),
    { logger: false, bodyParser: false },
  );
  app.useGlobalFilters(new ProblemFilter(() => {}, problemOf));
  await app.listen(0, '127.0.0.1');
  return {
    url: await app.getUrl(),
    close: async () => {
      await parts.streams.stop();
      await parts.ledger.stop();
      await app.close();
    },
  };
}

/** What answers over HTTP, for these operators of the catalogue. */
export function httpParts(
  db: Database,
  { authorities, keys }: World,
  operators: Catalogue['operators'],
  send: (queued: QueuedRecord[]) => void = () => {},
) {
  const ledger = new ReadLedger({ db, send, warn: () => {} });
  const readers = new Readers({
    trust: authorities.trust,
    operators: () => operators,
    isPrivate: () => true,
    ledger,
  });
  const log = new AuditLog(db, keys, new Cursors(Buffer.alloc(32, 9)));
  return { log, readers, ledger, streams: new Streams(log) };
}
