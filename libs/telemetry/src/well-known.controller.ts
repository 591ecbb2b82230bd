import { Controller, Get, Header, Inject } from '@nestjs/common';
import { TELEMETRY, type TelemetryOptions } from './telemetry-options.js';

@Controller('.well-known')
export class WellKnownController {
  constructor(@Inject(TELEMETRY) private readonly options: TelemetryOptions) {}

  /** The public keys this service signs with (RFC 7517 §8.5.2). Kept for less time than a key is published before it signs. */
  @Get('jwks.json')
  @Header('Content-Type', 'application/jwk-set+json')
  @Header('Cache-Control', 'public, max-age=30')
  jwks(): object | undefined {
    const { jwks } = this.options;
    return typeof jwks === 'function' ? (jwks as () => object)() : jwks;
  }
}
