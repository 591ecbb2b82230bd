import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { EventRequests, type Asked } from './event-requests.js';
import { send } from './reply.js';

/** `POST /v1/…`: the bus's events over HTTP, in CloudEvents' binary mode, with the same headers and the same bytes. */
@Controller('v1')
export class EventsController {
  constructor(@Inject(EventRequests) private readonly requests: EventRequests) {}

  @Post('tasks')
  start(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    return this.#answer(request, response, { type: 'task.started' });
  }

  @Post('tasks/:id/amend')
  amend(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    return this.#answer(request, response, { type: 'task.amended', id });
  }

  @Post('tasks/:id/end')
  end(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    return this.#answer(request, response, { type: 'task.ended', id });
  }

  /** Waits for the outcome. */
  @Post('tasks/:id/calls')
  call(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    return this.#answer(request, response, { type: 'tool.called', id });
  }

  @Post('leases/:id/renew')
  renew(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    return this.#answer(request, response, { type: 'lease.renewal_requested', id });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, asked: Asked): Promise<void> {
    send(response, await this.requests.answer(request, asked));
  }
}
