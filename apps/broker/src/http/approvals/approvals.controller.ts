import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { send } from '../reply.js';
import { ApprovalRequests } from './approval-requests.js';

/** `/v1/approvals`: calls that wait for people. */
@Controller('v1/approvals')
export class ApprovalsController {
  constructor(@Inject(ApprovalRequests) private readonly requests: ApprovalRequests) {}

  @Get()
  async list(
    @Req() request: IncomingMessage,
    @Res() response: ServerResponse,
    @Query() query: Record<string, unknown>,
  ): Promise<void> {
    send(response, await this.requests.list(request, query));
  }

  @Get(':id')
  async one(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    send(response, await this.requests.one(request, id));
  }

  @Post(':id/grant')
  async grant(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    send(response, await this.requests.answer(request, id, 'grant'));
  }

  @Post(':id/refuse')
  async refuse(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    send(response, await this.requests.answer(request, id, 'refuse'));
  }

  @Post(':id/withdraw')
  async withdraw(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    send(response, await this.requests.answer(request, id, 'withdraw'));
  }
}
