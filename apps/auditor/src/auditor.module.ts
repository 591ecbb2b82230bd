import { Module, type DynamicModule } from '@nestjs/common';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import { TelemetryModule } from '#telemetry/telemetry.module.js';
import { AuditLog } from './audit-log.js';
import { BusController } from './bus.controller.js';
import { AccessController } from './http/access.controller.js';
import { DecisionsController } from './http/decisions.controller.js';
import { EntriesController } from './http/entries.controller.js';
import { EvidenceController } from './http/evidence.controller.js';
import { ExportsController } from './http/exports.controller.js';
import { LogController } from './http/log.controller.js';
import { OpenApiController } from './http/openapi.controller.js';
import { Readers } from './http/readers.js';
import { StoryController } from './http/story.controller.js';
import { StreamController } from './http/stream.controller.js';
import { Streams } from './http/streams.js';
import { Ingest } from './ingest.js';

export interface AuditorParts {
  log: AuditLog;
  readers: Readers;
  streams: Streams;
  ingest: Ingest;
}

/** All that answer over HTTP, but for health, metrics and keys, which are those of every service. */
export const HTTP_CONTROLLERS = [
  EntriesController,
  StreamController,
  AccessController,
  DecisionsController,
  EvidenceController,
  ExportsController,
  StoryController,
  LogController,
  OpenApiController,
];

@Module({})
export class AuditorModule {
  static forRoot(
    { log, readers, streams, ingest }: AuditorParts,
    telemetry: TelemetryOptions,
  ): DynamicModule {
    return {
      module: AuditorModule,
      imports: [TelemetryModule.forRoot(telemetry)],
      controllers: [BusController, ...HTTP_CONTROLLERS],
      providers: [
        { provide: AuditLog, useValue: log },
        { provide: Readers, useValue: readers },
        { provide: Streams, useValue: streams },
        { provide: Ingest, useValue: ingest },
      ],
    };
  }
}
