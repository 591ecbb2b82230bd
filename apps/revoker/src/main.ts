import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { BatchServer } from '#bus/batch-server.js';
import { BusError } from '#bus/bus.js';
import { ConfigError, configErrorLine } from '#config/config-error.js';
import { loadConfig, type MayflyConfig } from '#config/load.js';
import { IdentityError } from '#identity/errors.js';
import { readPositions } from '#store/offsets.js';
import { armFaultPoints, FaultPointError } from '#telemetry/fault-point.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { NestLog } from '#telemetry/nest-log.js';
import { openParts } from './open-parts.js';
import { GROUP } from './publish.js';
import { readinessOf } from './readiness.js';
import { Revoker } from './revoker.js';
import { RevokerModule } from './revoker.module.js';

const log = createLog('revoker');

/** 1: something failed, start again. 2: an operator has to change something first. */
function exit(error: unknown, message: string): never {
  if (error instanceof ConfigError) process.stderr.write(`${configErrorLine(error)}\n`);
  else log.fatal({ err: error }, message);
  process.exit(isOperators(error) ? 2 : 1);
}

function isOperators(error: unknown): boolean {
  if ([ConfigError, IdentityError, FaultPointError].some((kind) => error instanceof kind)) return true;
  if (error instanceof BusError) return error.code === 'ERR_TOPIC_MISCONFIGURED';
  return (
    error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS')
  );
}

function readConfig(): MayflyConfig<'revoker'> {
  armFaultPoints(process.env);
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  return loadConfig(values.config ?? 'mayfly.yaml', process.env, 'revoker');
}

let stopping = false;

async function main(): Promise<void> {
  const config = readConfig();
  const metrics = createMetrics('revoker');
  const { parts, signer, openBus, close } = await openParts(config, metrics, log);
  const revoker = new Revoker(parts);
  await revoker.start();

  const readiness = readinessOf(parts.db);
  metrics.gauge({
    name: 'outbox_oldest_seconds',
    help: 'Age of the oldest record that waits to be sent.',
    read: () => readiness.outboxOldestMs() / 1_000,
  });
  const app = await NestFactory.create(
    RevokerModule.forRoot(revoker, {
      service: 'revoker',
      environment: config.environment,
      metrics,
      readiness: () => readiness.reasons(),
      jwks: signer.jwks,
    }),
    { logger: new NestLog(log), abortOnError: false },
  );

  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await app.close();
    await revoker.stop();
    await close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void stop(signal).catch((error) => exit(error, 'stopping failed')));

  const { host, port } = config.services.revoker.http;
  await app.listen(port, host);
  const { bus, relay } = await openBus();
  const server = new BatchServer({
    bus,
    group: GROUP,
    positions: async (assigned) => {
      // What an earlier owner of these partitions decided is told before anything newer is decided.
      await relay.drain(0);
      return await readPositions(parts.db, GROUP, assigned);
    },
    onCrash: (error) => exit(error, 'the consumer died'),
  });
  readiness.reads(server, relay);
  app.connectMicroservice({ strategy: server });
  await app.startAllMicroservices();
  log.info({ host, port, environment: config.environment, targets: parts.providers.size }, 'revoker started');
}

await main().catch((error: unknown) => {
  // A stop while the bus was being looked for: it ends the process itself.
  if (!stopping) exit(error, 'the revoker cannot start');
});
