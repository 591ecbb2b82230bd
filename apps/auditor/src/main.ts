import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { BatchServer } from '#bus/batch-server.js';
import { BusError } from '#bus/bus.js';
import { ConfigError, configErrorLine } from '#config/config-error.js';
import { loadConfig, type MayflyConfig } from '#config/load.js';
import { IdentityError } from '#identity/errors.js';
import { MerkleError } from '#merkle/errors.js';
import { readPositions } from '#store/offsets.js';
import { armFaultPoints } from '#telemetry/fault-point.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { NestLog } from '#telemetry/nest-log.js';
import { AuditorModule } from './auditor.module.js';
import { gapOf } from './gap.js';
import { ProblemFilter } from './http/problem.js';
import { GROUP } from './ingest.js';
import { KeyFileError } from './leaf/keys.js';
import { openParts, SetUpError, type OpenParts } from './open-parts.js';

const log = createLog('auditor');
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_CONNECTIONS = 256;
const OUTBOX_LATE_MS = 5_000;

/** 1: something failed, start again. 2: an operator has to change something first. */
function exit(code: 1 | 2, error: unknown, message: string): never {
  if (error instanceof ConfigError) process.stderr.write(`${configErrorLine(error)}\n`);
  else log.fatal({ err: error }, message);
  process.exit(code);
}

const isSetUp = (error: unknown): boolean =>
  [ConfigError, IdentityError, MerkleError, KeyFileError, SetUpError].some((kind) => error instanceof kind) ||
  (error instanceof BusError && error.code === 'ERR_TOPIC_MISCONFIGURED');

function readConfig(): MayflyConfig<'auditor'> {
  try {
    armFaultPoints(process.env);
    const { values } = parseArgs({ options: { config: { type: 'string' } } });
    return loadConfig(values.config ?? 'mayfly.yaml', process.env, 'auditor');
  } catch (error) {
    return exit(2, error, 'the configuration cannot be used');
  }
}

/** Records that the bus deleted before they were read leave an entry, and reading goes on behind them. */
function batchServer({ bus, db, ingest }: OpenParts): BatchServer {
  const server: BatchServer = new BatchServer({
    bus,
    group: GROUP,
    positions: (assigned) => readPositions(db, GROUP, assigned),
    onCrash: (error) => {
      const gap = gapOf(error);
      if (gap === undefined) exit(1, error, 'the consumer died');
      log.error({ err: error }, 'records were lost before they were read');
      ingest
        .onGap(gap)
        .then(() =>
          server.listen((failure) => failure !== undefined && exit(1, failure, 'the consumer died')),
        )
        .catch((failure: unknown) => exit(1, failure, 'a gap could not be recorded'));
    },
  });
  return server;
}

async function readiness(parts: OpenParts, server: BatchServer): Promise<string[]> {
  return [
    ...(server.isReady() ? [] : ['consumer is not assigned']),
    ...(parts.checkpointer.refusal === undefined ? [] : ['the log contradicts its last checkpoint']),
    ...(parts.relay.oldestMs() > OUTBOX_LATE_MS ? ['outbox is not being sent'] : []),
    ...(await parts.db.pool.query('SELECT 1').then(
      () => [],
      () => ['database does not answer'],
    )),
  ];
}

async function main(): Promise<void> {
  const config = readConfig();
  const metrics = createMetrics('auditor');
  const parts = await openParts(config, log, metrics);
  const server = batchServer(parts);
  const app = await NestFactory.create<NestExpressApplication>(
    AuditorModule.forRoot(parts, {
      service: 'auditor',
      environment: config.environment,
      metrics,
      readiness: () => readiness(parts, server),
      jwks: parts.jwks,
    }),
    { logger: new NestLog(log), abortOnError: false, bodyParser: false },
  );
  app.disable('x-powered-by');
  app.useGlobalFilters(new ProblemFilter((fields, message) => log.error(fields, message)));
  app.connectMicroservice({ strategy: server });

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await app.close();
    await parts.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void stop(signal).catch((error) => exit(1, error, 'stopping failed')));

  const { host, port } = config.services.auditor.http;
  const http = await app.listen(port, host);
  http.requestTimeout = REQUEST_TIMEOUT_MS;
  http.headersTimeout = REQUEST_TIMEOUT_MS;
  http.maxConnections = MAX_CONNECTIONS;
  await parts.checkpointer.start();
  await app.startAllMicroservices();
  log.info(
    { host, port, environment: config.environment, origin: config.services.auditor.log.origin },
    'auditor started',
  );
}

await main().catch((error: unknown) => exit(isSetUp(error) ? 2 : 1, error, 'the auditor cannot start'));
