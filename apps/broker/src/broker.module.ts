import { Module, type DynamicModule } from '@nestjs/common';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import { TelemetryModule } from '#telemetry/telemetry.module.js';
import { Broker } from './broker.js';
import { BusController } from './bus.controller.js';

@Module({})
export class BrokerModule {
  static forRoot(broker: Broker, telemetry: TelemetryOptions): DynamicModule {
    return {
      module: BrokerModule,
      imports: [TelemetryModule.forRoot(telemetry)],
      controllers: [BusController],
      providers: [{ provide: Broker, useValue: broker }],
    };
  }
}
