import { Module, type DynamicModule } from '@nestjs/common';
import type { TelemetryOptions } from '#telemetry/telemetry-options.js';
import { TelemetryModule } from '#telemetry/telemetry.module.js';

/** Health, metrics and the public keys: nothing is asked of a signer. */
@Module({})
export class SignerModule {
  static forRoot(telemetry: TelemetryOptions): DynamicModule {
    return { module: SignerModule, imports: [TelemetryModule.forRoot(telemetry)] };
  }
}
