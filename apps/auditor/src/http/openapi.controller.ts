import { Controller, Get, Header } from '@nestjs/common';
import { openApi } from './openapi.js';

/** `GET /.well-known/openapi.json`: the API, for whoever makes a client of it. */
@Controller('.well-known/openapi.json')
export class OpenApiController {
  readonly #document = openApi();

  @Get()
  @Header('Cache-Control', 'max-age=300')
  document(): object {
    return this.#document;
  }
}
