import { Controller, Get, Header, Inject, ServiceUnavailableException } from '@nestjs/common';
import { TELEMETRY, type TelemetryOptions } from './telemetry-options.js';

interface Ready {
  status: 'ready';
  service: string;
  environment: string;
  remarks?: readonly string[];
}

/** `live`: the process answers; restart it when not. `ready`: it can do its work; send it none when not. */
@Controller('health')
export class HealthController {
  constructor(@Inject(TELEMETRY) private readonly options: TelemetryOptions) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): { status: 'live'; service: string } {
    return { status: 'live', service: this.options.service };
  }

  /** 503 with `reasons` while the service cannot work. */
  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<Ready> {
    const { service, environment } = this.options;
    const reasons = await this.#reasons();
    const remarks = this.options.remarks?.() ?? [];
    const said = { service, environment, ...(remarks.length === 0 ? {} : { remarks }) };
    if (reasons.length > 0) throw new ServiceUnavailableException({ status: 'not_ready', ...said, reasons });
    return { status: 'ready', ...said };
  }

  async #reasons(): Promise<readonly string[]> {
    try {
      return await this.options.readiness();
    } catch {
      return ['the readiness check failed'];
    }
  }
}
