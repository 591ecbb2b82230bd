/** The auditor's HTTP interface alone, on a port of its own: it reads no topic, and what is said of its readers stays in the outbox. */
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ProblemFilter } from '#service/problem.js';
import type { Database } from '#store/database.js';
import { createMetrics } from '#telemetry/metrics.js';
import { AuditLog } from '../src/audit-log.js';
import { AuditorModule } from '../src/auditor.module.js';
import { problemOf } from '../src/http/problem.js';
import { Readers } from '../src/http/readers.js';
import { ingesting } from './ingesting.js';
import { OPERATOR, type World } from './world.js';

export interface AuditorHttp {
  url: string;
  close: () => Promise<void>;
}

/** The operator of the world may read. */
export async function openAuditorHttp(db: Database, world: World): Promise<AuditorHttp> {
  const operators = new Map([[OPERATOR, { id: OPERATOR, roles: ['auditor' as const] }]]);
  const readers = new Readers({
    db,
    trust: world.authorities.trust,
    operators: () => operators,
    send: () => {},
  });
  const { ingest } = ingesting(db, world);
  const app = await NestFactory.create<NestExpressApplication>(
    AuditorModule.forRoot(
      { log: new AuditLog(db, world.keys), readers, ingest },
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
  return { url: await app.getUrl(), close: () => app.close() };
}
