import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, Inject, Post, Req, Res } from '@nestjs/common';
import { send } from '../reply.js';
import { OAuthServer } from './oauth-server.js';

/** `/oauth/…`: token exchange, introspection, revocation; and what a client can know of them. */
@Controller()
export class OAuthController {
  constructor(@Inject(OAuthServer) private readonly server: OAuthServer) {}

  @Post('oauth/token')
  async token(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    send(response, await this.server.token(request));
  }

  @Post('oauth/introspect')
  async introspect(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    send(response, await this.server.introspect(request));
  }

  @Post('oauth/revoke')
  async revoke(@Req() request: IncomingMessage, @Res() response: ServerResponse): Promise<void> {
    send(response, await this.server.revoke(request));
  }

  @Get('.well-known/oauth-authorization-server')
  metadata(@Res() response: ServerResponse): void {
    send(response, this.server.metadata());
  }
}
