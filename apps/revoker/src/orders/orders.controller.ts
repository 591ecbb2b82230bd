import type { IncomingMessage } from 'node:http';
import { Controller, Get, Header, HttpCode, Inject, Param, Post, Query, Req } from '@nestjs/common';
import { OrderRequests } from './order-requests.js';

/** What operators order of the revoker, and see of it. */
@Controller('v1')
export class OrdersController {
  constructor(@Inject(OrderRequests) private readonly requests: OrderRequests) {}

  /** 202: it is taken, and carried out whatever happens. What of it is proven, the report says. */
  @Post('revoke')
  @HttpCode(202)
  @Header('Cache-Control', 'no-store')
  revoke(@Req() request: IncomingMessage): Promise<object> {
    return this.requests.revoke(request);
  }

  @Post('reinstate')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  reinstate(@Req() request: IncomingMessage): Promise<object> {
    return this.requests.reinstate(request);
  }

  @Get('revocations/:id')
  @Header('Cache-Control', 'no-store')
  report(@Req() request: IncomingMessage, @Param('id') id: string): Promise<object> {
    return this.requests.report(request, id);
  }

  @Get('leases')
  @Header('Cache-Control', 'no-store')
  leases(@Req() request: IncomingMessage, @Query() query: unknown): Promise<object> {
    return this.requests.leases(request, query);
  }
}
