import type { IncomingMessage } from 'node:http';
import { Controller, Get, Header, Inject, Req } from '@nestjs/common';
import { StandingAccessDesk } from './standing-access-desk.js';

@Controller('v1/standing-access')
export class StandingAccessController {
  constructor(@Inject(StandingAccessDesk) private readonly desk: StandingAccessDesk) {}

  /** Who can get at governed data without a lease. */
  @Get()
  @Header('Cache-Control', 'no-store')
  async list(@Req() request: IncomingMessage): Promise<object> {
    return await this.desk.answer(request);
  }
}
