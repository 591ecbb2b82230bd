import { Module, type DynamicModule } from '@nestjs/common';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import { TelemetryModule } from '#telemetry/telemetry.module.js';
import { AuditLog } from './audit-log.js';
import { BusController } from './bus.controller.js';
import { DecisionsController } from './http/decisions.controller.js';
import { EntriesController } from './http/entries.controller.js';
import { ExportsController } from './http/exports.controller.js';
import { LogController } from './http/log.controller.js';
import { Readers } from './http/readers.js';
import { StoryController } from './http/story.controller.js';
import { Ingest } from './ingest.js';

export interface AuditorParts {
  log: AuditLog;
  readers: Readers;
  ingest: Ingest;
}

@Module({})
export class AuditorModule {
  static forRoot({ log, readers, ingest }: AuditorParts, telemetry: TelemetryOptions): DynamicModule {
    return {
      module: AuditorModule,
      imports: [TelemetryModule.forRoot(telemetry)],
      controllers: [
        BusController,
        EntriesController,
        ExportsController,
        DecisionsController,
        StoryController,
        LogController,
      ],
      providers: [
        { provide: AuditLog, useValue: log },
        { provide: Readers, useValue: readers },
        { provide: Ingest, useValue: ingest },
      ],
    };
  }
}
