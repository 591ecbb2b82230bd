import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { send } from '../reply.js';
import { TaskRequests } from './task-requests.js';

/** `/v1/tasks/{id}/…`: what people see of a task, and say of it. */
@Controller('v1/tasks')
export class TasksController {
  constructor(@Inject(TaskRequests) private readonly requests: TaskRequests) {}

  @Get(':id/drift')
  async drift(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    send(response, await this.requests.drift(request, id));
  }

  @Post(':id/suspend')
  async suspend(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    send(response, await this.requests.order(request, id, 'suspend'));
  }

  @Post(':id/resume')
  async resume(@Req() request: IncomingMessage, @Res() response: ServerResponse, @Param('id') id: string) {
    send(response, await this.requests.order(request, id, 'resume'));
  }
}
