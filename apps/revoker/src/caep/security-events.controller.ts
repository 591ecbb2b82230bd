import type { IncomingMessage } from 'node:http';
import { Controller, Get, Header, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { readBody, type BodyErrorCode } from '#service/read-body.js';
import { ProblemError } from '../http/problem.js';
import { MAX_POLL_BYTES, type PollAnswer } from './poll.js';
import { SecurityEvents } from './security-events.js';

@Controller()
export class SecurityEventsController {
  constructor(@Inject(SecurityEvents) private readonly events: SecurityEvents) {}

  /** RFC 8936 §2. */
  @Post('caep/poll/:receiver')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async poll(@Param('receiver') id: string, @Req() request: IncomingMessage): Promise<PollAnswer> {
    const { poll } = this.events;
    const receiver = poll.admit(id, request.headers.authorization, Date.now());
    const refused = (code: BodyErrorCode, detail: string) => new ProblemError(code, detail);
    return await poll.answer(receiver, await readBody(request, MAX_POLL_BYTES, refused));
  }

  /** What we transmit and how (OpenID SSF 1.0 §7.1). Streams are configured by the operator, not over HTTP. */
  @Get('.well-known/ssf-configuration')
  @Header('Cache-Control', 'public, max-age=300')
  configuration(): object {
    return this.events.configuration();
  }
}
