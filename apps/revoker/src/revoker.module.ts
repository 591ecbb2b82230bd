import { Module, type DynamicModule } from '@nestjs/common';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import { TelemetryModule } from '#telemetry/telemetry.module.js';
import { CredentialEventsController } from './credential-events.controller.js';
import { Revoker } from './revoker.js';
import { TaskEventsController } from './task-events.controller.js';

@Module({})
export class RevokerModule {
  static forRoot(revoker: Revoker, telemetry: TelemetryOptions): DynamicModule {
    return {
      module: RevokerModule,
      imports: [TelemetryModule.forRoot(telemetry)],
      controllers: [TaskEventsController, CredentialEventsController],
      providers: [{ provide: Revoker, useValue: revoker }],
    };
  }
}
