/** What is particular to one service: what the frame of all (`run-service.ts`) is given. */
import type { DynamicModule } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { BatchServerParts } from '#bus/batch-server.js';
import type { MayflyConfig } from '#config/load.js';
import type { ProcessName } from '#config/process-name.js';
import type { Log } from '#telemetry/log.js';
import type { Metrics } from '#telemetry/metrics.js';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import type { IsOperators } from './exit.js';
import type { Reasons } from './readiness.js';
import type { StopStep } from './stop.js';

export interface ServiceKind<N extends ProcessName> {
  name: N;
  /** Errors for which starting again is no help, beside those of all services. */
  isOperators: IsOperators;
  /** Nothing is at work yet, so that a signal meanwhile ends the process at once. */
  open: (context: Context<N>) => Promise<Service>;
}

export interface Context<N extends ProcessName> {
  config: MayflyConfig<N>;
  log: Log;
  metrics: Metrics;
  /** Nothing is read, sent, issued or cut: the frame calls neither `begin` nor `consume`. */
  observe: boolean;
  /** The service cannot go on: the process ends, with status 1 unless the cause is an operator's. */
  onDead: (cause: Error) => void;
}

export interface Service {
  module: (telemetry: TelemetryOptions) => DynamicModule;
  /** Public keys, a JWK Set; a function where they change. */
  jwks: object | (() => object);
  /** Beside whether records are read, which the frame knows. */
  readiness: readonly Reasons[];
  /** What is amiss though it can do its work: readiness shows it. */
  remarks?: () => readonly string[];
  /** What of HTTP is particular. */
  http?: (app: NestExpressApplication) => void;
  /** Work that waits neither for HTTP nor for the bus. */
  begin?: () => Promise<void>;
  /** Instead of all that follows, where it only observes, once HTTP answers: tells what there is to be seen. Never rejects. */
  observe?: () => Promise<void>;
  /** Once HTTP answers: what is to be read. Absent where nothing is read. */
  consume?: () => Reading | Promise<Reading>;
  /** Of the line that tells that it has started. */
  fields?: object;
  /** After the consumer has left its group: brings what has begun to its end. */
  drain: readonly StopStep[];
  /** After the last HTTP answer. */
  close: readonly StopStep[];
}

export interface Reading extends Omit<BatchServerParts, 'onCrash'> {
  /** What makes it right that reading goes on after this error; undefined where nothing does, and the process ends. */
  recover?: (error: Error) => Promise<void> | undefined;
  /** Once records are read. */
  begun?: () => void;
}
