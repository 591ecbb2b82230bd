import { Controller, Get, Inject, StreamableFile } from '@nestjs/common';
import { TELEMETRY, type TelemetryOptions } from './telemetry-options.js';

@Controller('metrics')
export class MetricsController {
  constructor(@Inject(TELEMETRY) private readonly options: TelemetryOptions) {}

  @Get()
  async metrics(): Promise<StreamableFile> {
    const { metrics } = this.options;
    const page = Buffer.from(await metrics.text());
    return new StreamableFile(page, { type: metrics.contentType, length: page.length });
  }
}
