import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { send } from '../reply.js';
import { AuthzenServer } from './authzen-server.js';

/** `/access/v1/…`: would this act be permitted now? And where to ask. */
@Controller()
export class AuthzenController {
  constructor(@Inject(AuthzenServer) private readonly server: AuthzenServer) {}

  @Post('access/v1/evaluation')
  async evaluation(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    send(response, await this.server.evaluation(request));
  }

  @Post('access/v1/evaluations')
  async evaluations(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    send(response, await this.server.evaluations(request));
  }

  @Get('.well-known/authzen-configuration')
  metadata(@Res() response: ServerResponse): void {
    send(response, this.server.metadata());
  }
}
