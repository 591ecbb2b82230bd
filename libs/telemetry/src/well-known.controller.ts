import { Controller, Get, Header, Inject } from '@nestjs/common';
import { TELEMETRY, type TelemetryOptions } from './telemetry-options.js';

@Controller('.well-known')
export class WellKnownController {
  constructor(@Inject(TELEMETRY) private readonly options: TelemetryOptions) {}

  /** The public keys this service signs its records with (RFC 7517 §8.5.2). */
  @Get('jwks.json')
  @Header('Content-Type', 'application/jwk-set+json')
  @Header('Cache-Control', 'public, max-age=300')
  jwks(): object | undefined {
    return this.options.jwks;
  }
}
