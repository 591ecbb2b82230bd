import { Module, type DynamicModule } from '@nestjs/common';
import { HealthController } from './health.controller.js';
import { MetricsController } from './metrics.controller.js';
import { TELEMETRY, type TelemetryOptions } from './telemetry-options.js';
import { WellKnownController } from './well-known.controller.js';

/** Health, metrics and public keys of a service: the endpoints that need no caller. */
@Module({})
export class TelemetryModule {
  static forRoot(options: TelemetryOptions): DynamicModule {
    return {
      module: TelemetryModule,
      providers: [{ provide: TELEMETRY, useValue: options }],
      controllers: [
        HealthController,
        MetricsController,
        ...(options.jwks === undefined ? [] : [WellKnownController]),
      ],
    };
  }
}
