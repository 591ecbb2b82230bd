import 'reflect-metadata';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import { BatchServer } from '#bus/batch-server.js';
import { BusError } from '#bus/bus.js';
import { ConfigError, configErrorLine } from '#config/config-error.js';
import { loadConfig, type MayflyConfig } from '#config/load.js';
import { IdentityError } from '#identity/errors.js';
import { PolicyError, policyErrorLines } from '#policy/policy-error.js';
import { readPositions } from '#store/offsets.js';
import { armFaultPoints, FaultPointError } from '#telemetry/fault-point.js';
import { createLog } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { NestLog } from '#telemetry/nest-log.js';
import { Broker } from './broker.js';
import { BrokerModule } from './broker.module.js';
import { openParts } from './open-parts.js';
import { GROUP } from './records.js';

const log = createLog('broker');

/** 1: something failed, start again. 2: an operator has to change something first. */
function exit(error: unknown, message: string): never {
  if (error instanceof ConfigError) process.stderr.write(`${configErrorLine(error)}\n`);
  else if (error instanceof PolicyError) process.stderr.write(`${policyErrorLines(error).join('\n')}\n`);
  else log.fatal({ err: error }, message);
  process.exit(isOperators(error) ? 2 : 1);
}

function isOperators(error: unknown): boolean {
  if (error instanceof BusError) return error.code === 'ERR_TOPIC_MISCONFIGURED';
  if (error instanceof TypeError)
    return String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
  return [ConfigError, PolicyError, IdentityError, FaultPointError].some((kind) => error instanceof kind);
}

function readConfig(): MayflyConfig<'broker'> {
  armFaultPoints(process.env);
  const { values } = parseArgs({ options: { config: { type: 'string' } } });
  return loadConfig(values.config ?? 'mayfly.yaml', process.env, 'broker');
}

async function main(): Promise<void> {
  const config = readConfig();
  const metrics = createMetrics('broker');
  const { parts, bus, signer, close } = await openParts(config, log, metrics);
  const broker = new Broker(parts);
  metrics.gauge({
    name: 'outbox_oldest_seconds',
    help: 'Age of the oldest record that waits to be sent.',
    read: () => parts.relay.oldestMs() / 1_000,
  });

  const server = new BatchServer({
    bus,
    group: GROUP,
    positions: async (assigned) => {
      // What an earlier owner of these partitions decided is told before anything newer is decided.
      await parts.relay.drain(0);
      return await readPositions(parts.db, GROUP, assigned);
    },
    onCrash: (error) => exit(error, 'the consumer died'),
  });
  const readiness = async () => [
    ...(server.isReady() ? [] : ['consumer is not assigned']),
    ...(parts.relay.oldestMs() > 5_000 ? ['outbox is not being sent'] : []),
    ...(await parts.db.pool.query('SELECT 1').then(
      () => [],
      () => ['database does not answer'],
    )),
  ];
  const app = await NestFactory.create(
    BrokerModule.forRoot(broker, {
      service: 'broker',
      environment: config.environment,
      metrics,
      readiness,
      jwks: signer.jwks,
    }),
    { logger: new NestLog(log), abortOnError: false },
  );
  app.connectMicroservice({ strategy: server });

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping');
    await app.close();
    await broker.stop();
    await close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => void stop(signal).catch((error) => exit(error, 'stopping failed')));

  const { host, port } = config.services.broker.http;
  await app.listen(port, host);
  await app.startAllMicroservices();
  broker.start();
  log.info({ host, port, environment: config.environment, policySet: parts.judge.digest }, 'broker started');
}

await main().catch((error: unknown) => exit(error, 'the broker cannot start'));
