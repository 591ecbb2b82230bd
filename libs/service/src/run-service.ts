/**
 * The life of a service, the same for all: configuration → parts → HTTP → bus, until a signal; then the way back within
 * `STOP_WITHIN_MS`. Exit statuses: `exit.ts`.
 */
import 'reflect-metadata';
import { constants } from 'node:os';
import { parseArgs } from 'node:util';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { BatchServer } from '#bus/batch-server.js';
import { loadConfig, type MayflyConfig } from '#config/load.js';
import type { ProcessName } from '#config/process-name.js';
import { armFaultPoints } from '#telemetry/fault-point.js';
import { createLog, type Log } from '#telemetry/log.js';
import { createMetrics } from '#telemetry/metrics.js';
import { NestLog } from '#telemetry/nest-log.js';
import { tell } from './exit.js';
import { bound, close } from './http-server.js';
import { reasonsOf } from './readiness.js';
import type { Reading, Service, ServiceKind } from './service.js';
import { stopInOrder, type StopStep } from './stop.js';

const STOP_WITHIN_MS = 10_000;
/** A bus that is away cannot be told. What is drained then is what was decided before. */
const LEAVE_WITHIN_MS = 4_000;

type Fail = (error: unknown, message: string) => never;

/** Resolves when the service is at work; from then on only a signal or a failure ends the process. */
export async function runService<N extends ProcessName>(kind: ServiceKind<N>): Promise<void> {
  const log = createLog(kind.name);
  const fail: Fail = (error, message) => process.exit(tell(error, message, log, kind.isOperators));
  const life = new Life(log);
  try {
    const { config, observe } = readOptions(kind.name);
    const metrics = createMetrics(kind.name);
    const service = await kind.open({
      config,
      log,
      metrics,
      observe,
      onDead: (cause) => fail(cause, `the ${kind.name} cannot go on`),
    });
    let server: BatchServer | undefined = undefined;
    const app = await NestFactory.create<NestExpressApplication>(
      service.module({
        service: kind.name,
        environment: config.environment,
        metrics,
        readiness: () => (life.isEnding ? ['stopping'] : readiness(service, server, observe)),
        jwks: service.jwks,
        remarks: service.remarks,
      }),
      { logger: new NestLog(log), abortOnError: false, bodyParser: false },
    );
    app.disable('x-powered-by');
    service.http?.(app);
    bound(app.getHttpServer());
    life.begins(app, service, () => server?.close());
    const { host, port } = config.services[kind.name].http;
    if (observe) {
      await app.listen(port, host);
      log.warn({ host, port }, `${kind.name} observes only`);
      return await service.observe?.();
    }
    await service.begin?.();
    await app.listen(port, host);
    const reading = await service.consume?.();
    if (reading !== undefined) {
      server = batchServer(reading, log, fail);
      app.connectMicroservice({ strategy: server });
      await app.startAllMicroservices();
      reading.begun?.();
    }
    log.info({ host, port, environment: config.environment, ...service.fields }, `${kind.name} started`);
  } catch (error) {
    // What was being opened while it was told to stop: its end is on its way.
    if (!life.isEnding) fail(error, `the ${kind.name} cannot start`);
  }
}

function readOptions<N extends ProcessName>(name: N): { config: MayflyConfig<N>; observe: boolean } {
  armFaultPoints(process.env);
  const { values } = parseArgs({
    options: { config: { type: 'string' }, observe: { type: 'boolean', default: false } },
  });
  return {
    config: loadConfig(values.config ?? 'mayfly.yaml', process.env, name),
    observe: values.observe,
  };
}

function readiness(service: Service, server: BatchServer | undefined, observe: boolean): Promise<string[]> {
  const consumer = () => {
    if (observe) return ['observing only: nothing is read, issued or cut'];
    const isReading = service.consume === undefined || server?.isReady() === true;
    return isReading ? [] : ['consumer is not assigned'];
  };
  return reasonsOf([consumer, ...service.readiness]);
}

function batchServer({ recover, ...reading }: Reading, log: Log, fail: Fail): BatchServer {
  const server: BatchServer = new BatchServer({
    ...reading,
    onCrash: (error) => {
      const recovery = recover?.(error);
      if (recovery === undefined) return fail(error, 'the consumer died');
      log.error({ err: error }, 'the consumer died, and is begun anew');
      recovery
        .then(() =>
          server.listen((failure) => failure !== undefined && fail(failure, 'the consumer died again')),
        )
        .catch((failure: unknown) => fail(failure, 'the consumer could not be begun anew'));
    },
  });
  return server;
}

/** From the first signal on the process ends: in order, or with the second signal at once. */
class Life {
  #steps: (() => readonly StopStep[]) | undefined;
  #isEnding = false;

  constructor(private readonly log: Log) {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => this.#on(signal));
  }

  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** There is something to be finished from now on. */
  begins(app: NestExpressApplication, { drain, close: last }: Service, leave: () => unknown): void {
    this.#steps = () => {
      // Begun first, so that no request comes in; awaited late, because some wait for what is being drained.
      const answered = close(app.getHttpServer());
      return [
        { what: 'records being handled', run: leave, withinMs: LEAVE_WITHIN_MS },
        ...drain,
        { what: 'requests being answered', run: () => answered },
        ...last,
      ];
    };
  }

  #on(signal: NodeJS.Signals): void {
    const second = this.#isEnding;
    this.#isEnding = true;
    if (second || this.#steps === undefined) {
      this.log.warn({ signal }, second ? 'told twice to stop, ending at once' : 'stopped while starting');
      process.exit(128 + constants.signals[signal]);
    }
    this.log.info({ signal }, 'stopping');
    void stopInOrder(this.#steps(), STOP_WITHIN_MS, this.log).then((status) => process.exit(status));
  }
}
